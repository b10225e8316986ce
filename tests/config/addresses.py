"""What each page that is about something is about: the name of its address, and the kind of thing in its world."""

ABOUT = {
    **dict.fromkeys(["stack_thumbnail", "stack_image"], "stack_page"),
    **dict.fromkeys(
        [
            "case", "reveal", "submit_case", "withdraw", "deliver", "close_case", "upload", "pack",
            "dossier_progress", "receipt_preview", "answer_points", "identify", "separators", "findings", "follow_suggestions",
            "change_choices",
        ],
        "case",
    ),
    **dict.fromkeys(["resubmit", "accept", "pre_review", "supplement", "refuse", "decide"], "handling"),
    **dict.fromkeys(["take_in", "defer", "keep_promise"], "material"),
    **dict.fromkeys(["hand_out"], "original"),
    **dict.fromkeys(
        ["page", "place_page", "thumbnail", "page_image", "cut_out", "review", "settle_line", "read_page_again", "choose_reading"],
        "page",
    ),
    **dict.fromkeys(
        [
            "parcel", "seal", "unseal", "cancel_parcel", "book", "unbook", "receive", "confirm_delivery",
            "report_lost", "remove_original", "label", "carrier_label", "quote",
        ],
        "parcel",
    ),
    **dict.fromkeys(["resolve_incident"], "incident"),
    **dict.fromkeys(["dossier_file", "dossier_copy", "dossier_proof", "dossier_material", "sign_receipt", "sign_result", "check_dossier", "check_in_hand"], "dossier"),
    **dict.fromkeys(["slip", "slip_preview"], "slip"),
    **dict.fromkeys(["progress_by_slip"], "slip_code"),
    **dict.fromkeys(["statement", "reconcile", "write_letter"], "statement"),
    **dict.fromkeys(["statement_upload", "confirm_upload", "drop_upload"], "handed_in"),
    **dict.fromkeys(["settlement", "settlement_file"], "settlement"),
    **dict.fromkeys(["proposal", "approve_settlement", "return_settlement"], "proposal"),
    **dict.fromkeys(["letter_file"], "letter"),
    **dict.fromkeys(["end_policy"], "policy"),
    **dict.fromkeys(["end_tariff", "tariff_file"], "contract"),
    **dict.fromkeys(["decide_exception"], "exception"),
    **dict.fromkeys(["retry_job"], "job"),
    **dict.fromkeys(["replay_push"], "push"),
    **dict.fromkeys(["acknowledge_forgeries"], "alarm"),
    **dict.fromkeys(["rotate_secrets", "end_old_secrets", "change_push_path", "end_old_push_paths", "set_push_addresses"], "account"),
    **dict.fromkeys(["guide", "guide_versions"], "item"),
    **dict.fromkeys(["revoke_grant"], "grant"),
    **dict.fromkeys(["update_directory", "end_agreement"], "agreement"),
}  # fmt: skip
EXTRA: dict[str, dict[str, object]] = {
    "worklist": {"name": "intake"},
    "settlement_file": {"form": "xlsx"},
    "dossier_material": {"position": 1},
    "cut_out": {"line": 0},
    "letter_file": {"form": "xlsx"},
    "spending_chart": {"name": "budget"},
}
