"""Who is doing this: a value that travels with every act."""

from dataclasses import dataclass, field

from registry.models import ApiKey, User
from registry.terms import Role


@dataclass(frozen=True)
class Actor:
    """`kind` is user, integration or system; the ids say whose objects the actor may touch."""

    kind: str
    id: str
    label: str
    role: str = ""
    window_id: int | None = None
    office_id: int | None = None
    centre_id: int | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, user: User) -> "Actor":
        return cls(
            kind="user",
            id=str(user.pk),
            label=user.username,
            role=user.role,
            window_id=user.window_id,
            office_id=user.office_id,
            centre_id=user.centre_id,
        )

    @classmethod
    def of_key(cls, key: ApiKey) -> "Actor":
        return cls(
            kind="integration",
            id=key.prefix,
            label=key.name,
            role=Role.INTEGRATION,
            window_id=key.window_id,
            office_id=key.office_id,
            scopes=frozenset(key.scopes),
        )


SYSTEM = Actor(kind="system", id="", label="系统")
