"""The market without a screen: chain, storage, wallet, training, models, and the verbs over them."""
