"""What the file says about itself: XMP, colour profile, manifest, embedded files."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import ImageCms

from dossier.assemble.writer import Name, Ref, StreamingWriter, Value
from dossier.contents import DossierPlan, OriginalPlan, PagePlan

PRODUCER = "Tongban"
MANIFEST_NAME = "manifest.json"
MANIFEST_SCHEMA = "tongban-dossier/1"


def output_intent(writer: StreamingWriter) -> Ref:
    """sRGB, the one colour space of every page."""
    profile = writer.put_stream({"N": 3}, srgb_profile())
    return writer.put(
        {
            "Type": Name("OutputIntent"),
            "S": Name("GTS_PDFA1"),
            "OutputConditionIdentifier": "sRGB IEC61966-2.1",
            "Info": "sRGB IEC61966-2.1",
            "DestOutputProfile": profile,
        }
    )


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """LittleCMS's sRGB profile with its creation date and identifier fixed, so that it never differs."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = b"".join(value.to_bytes(2, "big") for value in (2026, 1, 1, 0, 0, 0))
    profile[84:100] = bytes(16)
    return bytes(profile)


def xmp(plan: DossierPlan) -> bytes:
    return xmp_packet(
        title=plan.title, identifier=plan.case_number, creator=plan.window, made_at=plan.made_at
    )


def xmp_packet(*, title: str, identifier: str, creator: str, made_at: datetime) -> bytes:
    """The XMP packet of PDF/A-3b, with the case number as identifier. No applicant in it."""
    moment = made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    title, number, source = escape(title), escape(identifier), escape(creator)
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
<dc:format>application/pdf</dc:format><dc:identifier>{number}</dc:identifier>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{source}</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>zh-CN</rdf:li></rdf:Bag></dc:language>
<pdf:Producer>{PRODUCER}</pdf:Producer><xmp:CreatorTool>{PRODUCER}</xmp:CreatorTool>
<xmp:CreateDate>{moment}</xmp:CreateDate><xmp:ModifyDate>{moment}</xmp:ModifyDate>
<xmp:MetadataDate>{moment}</xmp:MetadataDate>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()


def embedded_file(
    writer: StreamingWriter,
    *,
    name: str,
    media_type: str,
    relationship: str,
    description: str,
    made_at: datetime,
    content: bytes | Path,
) -> Ref:
    """An associated file (PDF/A-3). Returns its file specification."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    head: Mapping[str, Value] = {
        "Type": Name("EmbeddedFile"),
        "Subtype": Name(media_type),
        "Params": {"ModDate": pdf_date(made_at), "Size": size},
    }
    stream = (
        writer.put_stream(head, content) if isinstance(content, bytes) else writer.put_file(head, content)[0]
    )
    return writer.put(
        {
            "Type": Name("Filespec"),
            "F": name,
            "UF": name,
            "Desc": description,
            "AFRelationship": Name(relationship),
            "EF": {"F": stream, "UF": stream},
        }
    )


def embed_original(writer: StreamingWriter, original: OriginalPlan, made_at: datetime) -> Ref:
    return embedded_file(
        writer,
        name=original.name,
        media_type=original.media_type,
        relationship="Source",
        description="采集原件",
        made_at=made_at,
        content=original.path,
    )


def pdf_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("D:%Y%m%d%H%M%SZ")


def page_entry(page: PagePlan) -> dict[str, object]:
    """What the manifest says of one captured page (docs/manifest.md)."""
    confidences = [line.confidence for line in page.lines[page.own_lines :]]
    return {
        "sha256": page.sha256,
        "media_type": page.media_type,
        "width": page.width,
        "height": page.height,
        "dpi": page.dpi,
        "rotation": page.rotation,
        "source_name_sha256": page.source_name_hash,
        "captured_by": page.captured_by,
        "captured_at": page.captured_at.astimezone(UTC).isoformat() if page.captured_at else None,
        "reading": {
            "engine": page.reader,
            "version": page.reader_version,
            "lines": len(page.lines),
            "own_lines": page.own_lines,
            "mean_confidence": round(sum(confidences) / len(confidences), 4) if confidences else None,
            "angle": round(page.angle, 3),
            "unreadable": page.unreadable,
            "corrections": list(page.corrections),
            "looked_at": [
                {
                    "line": line,
                    "confirmed": confirmed,
                    "by": by,
                    "at": at.astimezone(UTC).isoformat(),
                }
                for line, confirmed, by, at in page.looked_at
            ],
        },
    }


def manifest_json(manifest: Mapping[str, object]) -> bytes:
    return json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
