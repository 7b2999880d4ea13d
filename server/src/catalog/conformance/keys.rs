//! What every catalog must keep of keys.

use super::*;

pub(super) async fn keys_open_their_account_and_go_with_it(catalog: &Catalog) {
    let (ada, bob) = (user(catalog, "ada", None, None).await, user(catalog, "bob", None, None).await);
    let key = |number: u8| PublicKey([number; 32]);
    let named = |numbers: std::ops::Range<u8>| numbers.map(|number| (key(number), format!("no. {number}"))).collect();
    let opened = async |user: &str, keys: Vec<PublicKey>| {
        let found = catalog.account_of_key(user.into(), keys).await.expect("read");
        found.map(|(account, key)| (account.id, account.generation, key))
    };
    assert_eq!(catalog.add_keys(&name("ada"), named(0..2)).await.expect("added"), [true, true]);
    assert_eq!(
        catalog.add_keys(&name("ada"), vec![(key(1), "x".into()), (key(2), "".into())]).await.expect("added"),
        [false, true]
    );
    assert_eq!(catalog.add_keys(&name("bob"), named(2..3)).await.expect("a key may be of two"), [true]);
    let held = catalog.keys(&name("ada")).await.expect("read");
    let comments = held.iter().map(|held| (held.key, held.comment.as_str())).collect::<Vec<_>>();
    assert!(comments.contains(&(key(1), "no. 1")) && comments.contains(&(key(2), "")) && held.len() == 3, "{held:?}");

    assert_eq!(opened("ada", vec![key(9), key(1), key(0)]).await, Some((ada, 0, key(1))));
    assert_eq!(opened("bob", vec![key(1), key(2)]).await, Some((bob, 0, key(2))));
    for (user, keys) in [("ada", vec![]), ("ada", vec![key(9)]), ("eve", vec![key(1)]), ("", vec![key(1)])] {
        assert_eq!(opened(user, keys).await, None, "{user}");
    }

    catalog.remove_key(&name("ada"), key(1)).await.expect("removed");
    assert_eq!(opened("ada", vec![key(1)]).await, None);
    assert_eq!(opened("ada", vec![key(0)]).await, Some((ada, 1, key(0))), "sessions of before end");
    assert!(matches!(catalog.remove_key(&name("ada"), key(1)).await, Err(CatalogError::NoSuchKey(_))));
    assert!(matches!(catalog.remove_key(&name("eve"), key(1)).await, Err(CatalogError::NoSuchUser(_))));
    assert!(matches!(catalog.keys(&name("eve")).await, Err(CatalogError::NoSuchUser(_))));

    let most = u8::try_from(MAX_KEYS).expect("few");
    let refused = catalog.add_keys(&name("ada"), named(3..most + 2)).await;
    assert!(matches!(refused, Err(CatalogError::TooManyKeys(_))), "{refused:?}");
    assert_eq!(catalog.keys(&name("ada")).await.expect("read").len(), 2, "none of them");
    catalog.add_keys(&name("ada"), named(3..most + 1)).await.expect("just as many");

    catalog.remove_user(&name("ada")).await.expect("removed");
    user(catalog, "ada", None, None).await;
    assert_eq!(catalog.keys(&name("ada")).await.expect("read"), [], "somebody else by that name begins with none");
    assert_eq!(opened("bob", vec![key(2)]).await, Some((bob, 0, key(2))));
}
