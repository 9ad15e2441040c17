//! Files that are generated from the code are the same as the code would generate.

use review::classify::ClassifyRules;
use review::packet::PacketV1;

use crate::support::generated::same_as_file;

#[test]
fn the_published_schema_is_the_packets() {
    let schema = serde_json::to_string_pretty(&PacketV1::json_schema()).expect("JSON");
    same_as_file("schemas/packet-v1.schema.json", &format!("{schema}\n"));
}

#[test]
fn the_page_about_the_packet_tells_every_field_of_its_schema() {
    same_as_file("docs/packet.md", &review::packet::page());
}

#[test]
fn the_page_about_classification_is_what_its_rules_make() {
    same_as_file("docs/classification.md", &ClassifyRules::embedded().page());
}

#[test]
fn the_pages_about_rules_are_what_the_catalogue_makes() {
    for family in rules::families() {
        let page = rules::page(family).expect("a family has rules");
        same_as_file(&format!("docs/rules/{family}.md"), &page);
    }
    same_as_file("docs/rules/README.md", &rules::index());
}
