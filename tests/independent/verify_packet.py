#!/usr/bin/env python3
"""Checks a packet without any code of recuse: its schema, its canonical digest and its DSSE signature.

    verify_packet.py PACKET SCHEMA PUBLIC_KEY     PACKET.dsse.json stands beside the packet

Needs cryptography, jsonschema and rfc8785 from PyPI. Ends with 1 and one line at the first thing that does not hold.
"""
import base64, hashlib, json, pathlib, sys

import jsonschema, rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def pre_authentication_encoding(payload_type, payload):
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def main(packet_path, schema_path, key_path):
    raw = pathlib.Path(packet_path).read_bytes()
    packet = json.loads(raw)
    schema = json.loads(pathlib.Path(schema_path).read_text())
    try:
        jsonschema.Draft202012Validator(schema).validate(packet)
    except jsonschema.ValidationError as error:
        sys.exit(f"FAILED: schema: {error.message[:200]}")
    canonical = rfc8785.dumps(packet)
    expect(canonical == raw, "the file is not in its canonical form")
    digest = hashlib.sha256(canonical).hexdigest()

    envelope = json.loads(pathlib.Path(f"{packet_path}.dsse.json").read_text())
    payload = base64.b64decode(envelope["payload"], validate=True)
    key = serialization.load_ssh_public_key(pathlib.Path(key_path).read_bytes())
    expect(isinstance(key, Ed25519PublicKey), "the key is no Ed25519 key")
    (signature,) = envelope["signatures"]
    try:
        key.verify(base64.b64decode(signature["sig"], validate=True),
                   pre_authentication_encoding(envelope["payloadType"], payload))
    except InvalidSignature:
        sys.exit("FAILED: the envelope's signature is not by that key")

    statement = json.loads(payload)
    expect(envelope["payloadType"] == "application/vnd.in-toto+json", "the payload is no in-toto Statement")
    expect(statement["_type"] == "https://in-toto.io/Statement/v1", "the Statement is of another version")
    subjects = {subject["name"]: subject["digest"] for subject in statement["subject"]}
    expect(subjects["diff"] == {"sha256": packet["subject"]["diff_digest"]}, "the Statement is about another diff")
    head = packet["subject"]["head"]
    expect(subjects.get("head") == ({"gitCommit": head} if head else None), "the Statement is about another head")
    predicate = statement["predicate"]
    expect(predicate["packet"]["digest"] == {"sha256": digest}, "the Statement is about another packet")
    expect(predicate["verdict"] == packet["verdict"], "the Statement has another verdict")
    print(f"schema, canonical form, digest {digest[:12]}, DSSE signature: hold")


if __name__ == "__main__":
    main(*sys.argv[1:])
