//! Pictures of the dialogs about several transfers.

use super::*;
use crate::engine::status::Keep;

#[test]
fn dialogs_of_transfers_in_three_sizes() {
    let mut shown = String::new();
    for (width, height) in [(80, 24), (120, 40), (40, 12)] {
        let mut app = sized(width, height);
        busy(&mut app);
        app.dialogs.clear();
        let ids: Vec<ItemId> = (1..=4).map(ItemId).collect();
        let kinds = vec![
            Kind::Restored(ids[..2].to_vec()),
            Kind::Drop { ids: ids.clone(), quits: true },
            Kind::Quit,
            Kind::Stop(ids[..1].to_vec()),
            Kind::Stop(ids),
        ];
        shown += &format!("{width}x{height}\n{}\n", dialogs(&app, kinds));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_queue_that_cannot_be_kept_is_told_before_quitting() {
    let mut app = sized(80, 24);
    let mut status = sample::status();
    status.keep = Keep::Failed("/home/ada/.local/state/catamaran/queue: no space left on device".into());
    update(&mut app, Msg::Status(Arc::new(status)));
    app.dialogs.clear();
    insta::assert_snapshot!(dialogs(&app, vec![Kind::Quit]));
}
