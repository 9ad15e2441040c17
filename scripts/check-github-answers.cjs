// Holds what the fake GitHub of the tests said, as it wrote it down, against GitHub's own description of its answers and
// deliveries; and the deliveries that `recuse simulate` sends, which have only some of the fields. Fails on whatever does
// not fit, on fields that GitHub does not have, and where an answer or a delivery that is expected did not come.
//
//   node check-github-answers.cjs DESCRIPTION RECORD
const fs = require("fs");
const Ajv = require("ajv/dist/2019").default;
const addFormats = require("ajv-formats").default;

const [description, record] = process.argv.slice(2);
const document = JSON.parse(fs.readFileSync(description));
const schemas = document.components.schemas;
const resolved = (node) => node?.$ref?.slice(2).split("/").reduce((at, part) => at[part], document) ?? node;

// Where the description errs. An account would have to be a user and an enterprise at once.
document.paths["/app/installations"].get.responses["200"].content["application/json"].schema.items = {
  $ref: "#/components/schemas/installation",
};
// The repository of a head may have been deleted; its description says so in lists only.
const heads = ["pull-request", "pull-request-simple"].map((name) => schemas[name].properties.head.properties);
for (const head of heads) head.repo = { nullable: true, anyOf: [head.repo] };
// What an app may listen to lacks the event of merge queues.
const mendEvents = (node) => {
  if (node === null || typeof node !== "object") return;
  if (Array.isArray(node.enum) && node.enum.includes("merge_queue_entry")) node.enum.push("merge_group");
  Object.values(node).forEach(mendEvents);
};
mendEvents(schemas);

// An OpenAPI schema as a JSON schema. A whole one has no fields but its own; a part of another has some of its fields.
function jsonSchema(node, isWhole) {
  if (node === null || typeof node !== "object" || Array.isArray(node)) return node;
  const { nullable, discriminator, example, examples, ...schema } = node;
  const each = (map) => Object.fromEntries(Object.entries(map).map(([key, value]) => [key, jsonSchema(value, true)]));
  if (schema.$ref) schema.$ref = schema.$ref.replace("#/components/schemas/", `github#/${isWhole ? "whole" : "part"}/`);
  const hasOwnFields = Boolean(schema.properties);
  if (hasOwnFields) schema.properties = each(schema.properties);
  for (const name of ["items", "additionalProperties"]) if (schema[name]) schema[name] = jsonSchema(schema[name], true);
  for (const name of ["anyOf", "oneOf", "allOf"])
    if (schema[name])
      schema[name] = schema[name].map((one) => jsonSchema(one, isWhole && name !== "allOf" && !hasOwnFields));
  if (isWhole && schema.additionalProperties === undefined && (hasOwnFields || schema.allOf))
    schema.unevaluatedProperties = false;
  return nullable ? { anyOf: [schema, { type: "null" }] } : schema;
}
const all = (isWhole) => Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, jsonSchema(one, isWhole)]));
const withoutRequired = (schema) =>
  JSON.parse(JSON.stringify(schema, (key, value) => (key === "required" && Array.isArray(value) ? undefined : value)));
function validators(change) {
  const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
  addFormats(ajv);
  ajv.addFormat("uri-template", true);
  ajv.addSchema(change({ $id: "github", whole: all(true), part: all(false) }));
  const made = new Map();
  return (name, schema, isWhole) => {
    if (!made.has(name)) made.set(name, ajv.compile(change(jsonSchema(schema, isWhole))));
    return made.get(name);
  };
}
const validator = validators((schema) => schema);
const simulated = validators(withoutRequired);

// Errors have all three of these, whatever the description of a call says.
const errorSchema = (schema) => ({ allOf: [schema, { type: "object", required: ["message", "documentation_url", "status"] }] });
// With these, calls end whose description does not name them: a renamed repository, no right to it, a wrong request, and a
// comparison that is too large (documented beside the limits of repositories).
const anywhere = { 301: "basic-error", 307: "basic-error", 401: "basic-error", 403: "basic-error", 404: "basic-error",
  406: "validation-error", 422: "validation-error" };

const faults = new Map();
const seen = new Map();
const count = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);

function checkDelivery({ event, is_simulated: isSimulated, body }) {
  const action = body.action ? `${event} ${body.action}` : event;
  const name = isSimulated ? `${action}, simulated` : action;
  count(seen, name);
  const told = document["x-webhooks"][action.replaceAll(/[_ ]/g, "-")];
  if (!told) return count(faults, `${name}: GitHub has no such delivery`);
  const schema = told.post.requestBody.content["application/json"].schema;
  hold(name, (isSimulated ? simulated : validator)(name, schema, true), body);
}

function checkAnswer({ method, path, status, content_type: type, body }) {
  const call = `${method.toUpperCase()} ${path}`;
  const name = `${call} ${status}${type === "application/json" ? "" : ` ${type.split(";")[0]}`}`;
  count(seen, name);
  const operation = document.paths[path]?.[method];
  if (!operation) return count(faults, `${call}: GitHub has no such call`);
  const response = resolved(operation.responses[status]);
  if (status === 304 && response) return;
  const content = response?.content?.[type.split(";")[0]];
  // Of a diff the description says no more than that there is one.
  if (type !== "application/json") return content ?? count(faults, `${name}: GitHub has no such form of it`);
  const schema = content?.schema ?? (anywhere[status] && schemas[anywhere[status]]);
  if (!schema) return count(faults, `${name}: GitHub does not end so`);
  hold(name, validator(name, status < 400 ? schema : errorSchema(schema), status < 400), body);
}

function hold(name, validate, body) {
  if (validate(body)) return;
  for (const { instancePath, message, params } of validate.errors) {
    const place = instancePath.replaceAll(/\/\d+/g, "/N");
    count(faults, `${name} ${place} ${message} ${params.unevaluatedProperty ?? ""}`);
  }
}

const lines = fs.readFileSync(record, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
for (const line of lines) line.event ? checkDelivery(line) : checkAnswer(line);

// Every call of the client, and every delivery that the fake sends: what no story asks for any more would go unchecked.
const expected = `
  GET /app 200; GET /app/hook/config 200; GET /app/hook/deliveries 200; GET /app/installations 200; GET /user 200
  POST /app/hook/deliveries/{delivery_id}/attempts 202; POST /app/installations/{installation_id}/access_tokens 201
  POST /app-manifests/{code}/conversions 201; GET /repos/{owner}/{repo} 200; GET /repos/{owner}/{repo}/installation 200
  GET /repos/{owner}/{repo}/branches/{branch} 200; GET /repos/{owner}/{repo}/rules/branches/{branch} 200
  GET /repos/{owner}/{repo}/collaborators/{username}/permission 200; GET /repos/{owner}/{repo}/contents/{path} 200
  GET /repos/{owner}/{repo}/commits/{ref}/check-runs 200; GET /repos/{owner}/{repo}/commits/{ref}/status 200
  GET /repos/{owner}/{repo}/compare/{basehead} 200; GET /repos/{owner}/{repo}/compare/{basehead} 406
  GET /repos/{owner}/{repo}/compare/{basehead} 200 application/vnd.github.diff
  GET /installation/repositories 200
  GET /repos/{owner}/{repo}/pulls 200; GET /repos/{owner}/{repo}/pulls 304
  GET /repos/{owner}/{repo}/pulls/{pull_number} 200; GET /repos/{owner}/{repo}/pulls/{pull_number} 301
  GET /repos/{owner}/{repo}/pulls/{pull_number}/files 200
  GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews 200; POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews 200
  POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews 422
  POST /repos/{owner}/{repo}/check-runs 201; PATCH /repos/{owner}/{repo}/check-runs/{check_run_id} 200
  GET /repos/{owner}/{repo}/issues/{issue_number}/comments 200
  POST /repos/{owner}/{repo}/issues/{issue_number}/comments 201
  PATCH /repos/{owner}/{repo}/issues/comments/{comment_id} 200
  POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions 201
  POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions 201
  check_run completed; check_run created; check_run requested_action; check_run rerequested
  check_suite completed; check_suite rerequested; merge_group checks_requested; push
  installation created; installation deleted; installation suspend; installation unsuspend
  installation new_permissions_accepted; installation_repositories added; installation_repositories removed
  issue_comment created; issue_comment deleted; issue_comment edited; pull_request_review_comment created
  pull_request closed; pull_request converted_to_draft; pull_request edited; pull_request labeled; pull_request opened
  pull_request ready_for_review; pull_request reopened; pull_request synchronize; pull_request unlabeled
  pull_request opened, simulated; pull_request synchronize, simulated; pull_request closed, simulated
  issue_comment created, simulated`;
for (const name of expected.split(/[;\n]/).map((one) => one.trim()))
  if (name && !seen.has(name)) count(faults, `${name}: did not come`);

for (const [name, times] of [...seen].sort()) console.log(`${String(times).padStart(6)} ${name}`);
const told = lines.filter((line) => line.event).length;
console.log(`${lines.length - told} answers and ${told} deliveries, of ${seen.size} kinds; ${faults.size} do not fit`);
for (const [what, times] of [...faults].sort()) console.log(`WRONG (${times} times): ${what}`);
process.exit(faults.size === 0 ? 0 : 1);
