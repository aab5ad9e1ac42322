//! What several gateways are doing, as one tells it.

use crate::gateways::{Gateways, eventually};

#[tokio::test]
async fn the_figures_of_all_gateways_are_told_by_each() {
    let gateways = Gateways::start(3).await;
    let [one, two, three] = gateways.all.as_slice() else {
        panic!()
    };
    let _streams = (
        one.stream("ann").await,
        two.stream("bob").await,
        two.stream("cid").await,
    );
    one.publish("logs:etl:w").await;
    two.publish("logs:etl:w").await;
    two.publish("logs:faas:w").await;
    assert_eq!(three.close("7").await.0, 404);
    assert_eq!(one.close("8").await.0, 404);
    for gateway in &gateways.all {
        let stats = gateway.stats().await;
        assert_eq!((stats.connections, stats.messages_published), (3, 3));
        let services: Vec<_> = stats
            .by_service
            .iter()
            .map(|row| (row.service.as_str(), row.accepted))
            .collect();
        assert_eq!(services, [("etl", 2), ("faas", 1)]);
        assert_eq!(stats.rejections["unknown_stream"], 2);
        let users: Vec<_> = stats
            .by_connection
            .iter()
            .map(|row| row.user_id.as_str())
            .collect();
        assert_eq!(users.len(), 3, "{users:?}");
        let nodes: Vec<_> = stats.nodes.iter().map(|row| row.node.as_str()).collect();
        assert_eq!(nodes.len(), 3);
        assert!(stats.by_connection.iter().all(|row| {
            let node = row.node.as_deref().unwrap_or_default();
            nodes.contains(&node) && row.name == format!("{node}-{}", row.number)
        }));
        let mut streams: Vec<_> = stats.nodes.iter().map(|row| row.connections).collect();
        streams.sort_unstable();
        assert_eq!(streams, [0, 1, 2]);
        let channel = stats
            .by_channel
            .iter()
            .find(|row| row.channel.to_string() == "logs:etl:w");
        assert_eq!(channel.map(|row| row.readers), Some(3), "readers of all gateways");
    }
    let (_, few) = three.get("/admin/logs/stats?rows=2").await;
    assert_eq!(few["by_connection"].as_array().map(Vec::len), Some(2));
    assert_eq!(few["more_connections"], 1);
}

#[tokio::test]
async fn a_gateway_that_is_not_well_makes_all_unwell_and_is_named() {
    let gateways = Gateways::start(2).await;
    gateways.all[1].close_log().await;
    let stats = gateways.all[0].stats().await;
    assert_eq!(stats.status, "unhealthy");
    let reason = stats.reason.unwrap_or_default();
    assert!(reason.contains("writer"), "{reason}");
    let (status, _) = gateways.all[0].get("/health/ready").await;
    assert_eq!(status, 200, "each answers for itself there");
}

#[tokio::test]
async fn readers_of_a_channel_are_those_of_all_gateways_that_are_there() {
    let mut gateways = Gateways::start(3).await;
    let streams = (
        gateways.all[0].stream("ann").await,
        gateways.all[1].stream("bob").await,
        gateways.all[2].stream("cid").await,
    );
    drop(gateways.all.pop());
    let are_two = async || {
        let (_, channels) = gateways.all[0].get("/api/logs/channels").await;
        let told = gateways.all[1].publish("logs:etl:w").await["subscribers"] == 2;
        told && channels["channels"][0]["readers"] == 2
    };
    eventually("the readers of the one that is gone to be forgotten", are_two).await;
    drop(streams.0);
    let is_one = async || gateways.all[1].publish("logs:etl:w").await["subscribers"] == 1;
    eventually("a reader that is gone to be forgotten", is_one).await;
}
