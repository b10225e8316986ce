"""The sentences a clerk reads: one for each reason to refuse, each saying what to do next."""

from collections.abc import Mapping, Sequence

REFUSALS: Mapping[str, str] = {
    "empty": "文件是空的，请重新扫描或重新导出后再上传。",
    "missing": "没有找到这个文件，请检查路径后重试。",
    "unknown_type": "无法识别的文件类型，请上传 JPEG、PNG、TIFF、PDF、HEIC 或 WebP 文件。",
    "text_file": "这是文本或网页，不是扫描件，请把纸质材料扫描成 PDF 或图片后上传。",
    "gif": "GIF 不是扫描件格式，请另存为 PNG 或 JPEG 后上传。",
    "bmp": "BMP 图片不能直接收入，请另存为 PNG 或 JPEG 后上传。",
    "avif": "AVIF 图片不能直接收入，请另存为 JPEG 或 PNG 后上传。",
    "office_document": "这是办公软件文档，请在办公软件中另存为 PDF 后上传。",
    "ofd": "OFD 版式文件不能直接收入，请用阅读器另存为 PDF 后上传。",
    "archive": "这是压缩包，请解压后逐个上传其中的文件。",
    "program": "这是程序文件，不能上传。",
    "video": "这是视频，不是扫描件，请拍照或扫描后上传。",
    "polyglot": "文件里混有另一种格式的内容（{other}），可能被改动过，请重新扫描或重新导出后上传。",
    "file_too_large": "文件有 {megabytes} MB，超过单个文件 {limit} MB 的上限，请分成几个文件上传。",
    "too_many_pixels": "图像有 {width}×{height} 像素，超过 {limit} 百万像素的上限，请降低扫描分辨率后重新上传。",
    "too_many_pages": "文件有 {pages} 页，超过单个文件 {limit} 页的上限，请分成几个文件上传。",
    "too_heavy": "文件解开后过大，无法处理，请降低分辨率或分成几个文件后重新上传。",
    "too_slow": "文件过于复杂，没能在规定时间内处理完，请打印后重新扫描上传。",
    "crashed": "文件内容异常，解析中断，请重新扫描或重新导出后上传。",
    "truncated": "文件不完整（可能传输中断），请重新扫描或重新上传。",
    "damaged": "文件已损坏，无法读出图像，请重新扫描或重新导出后上传。",
    "unsupported_coding": "图像采用了少见的编码方式，无法读出，请另存为普通 JPEG 或 PNG 后上传。",
    "animated": "这是动态图片（{frames} 帧），不是扫描件，请另存为静态图片后上传。",
    "metadata_bomb": "图片的附加信息解开后异常庞大，可能是恶意文件，请重新扫描后上传。",
    "not_a_pdf": "不是可读的 PDF（文件结构已损坏），请重新导出或打印后扫描上传。",
    "too_many_beside": "文件有 {pages} 页，超过一次打印 {limit} 页的上限，请在原系统中打印。",
    "no_room_beside": "页面太大，一张 A4 纸上放不下，请在原系统中打印。",
    "no_pages": "这个 PDF 没有任何页面，请重新导出后上传。",
    "locked": "这个 PDF 设有打开密码，请输入密码，或请申请人另存一份不加密的文件。",
    "wrong_password": "密码不正确，无法打开这个 PDF，请核对密码后重试。",
    "locked_to_certificate": "这个 PDF 用数字证书加密，输入密码也打不开，请申请人另存一份不加密的文件。",
    "unsupported_encryption": "这个 PDF 的加密方式无法识别，请申请人另存一份不加密的文件。",
    "dynamic_form": "这个 PDF 是动态表单（XFA），内容不在页面上，请在原软件中打印成 PDF 或打印后扫描上传。",
    "page_unreadable": "页面内容无法读出，请重新导出或打印后扫描上传。",
}


FAULTS: Mapping[str, str] = {
    "too_dark": "太暗，字迹看不清",
    "blurred": "太模糊，号码可能读不清",
    "faint": "字迹太淡",
    "low_resolution": "分辨率太低，请用 200 dpi 以上扫描",
    "glare": "有反光，部分内容被遮住",
    "cut_edge": "边上的字被裁掉了",
    "missing_corner": "缺一个角，或有折角",
    "skewed": "放得太斜",
}
"""What may be wrong with a page's picture (see `ingest.inspect.quality`), in words for the clerk."""
FAULTS_VERSION = 1
"""Rises whenever a limit or a measure changes; kept with every judgement."""
FAULT_WORDS: Mapping[str, str] = {
    "too_dark": "太暗",
    "blurred": "模糊",
    "faint": "太淡",
    "low_resolution": "分辨率低",
    "glare": "反光",
    "cut_edge": "裁边",
    "missing_corner": "缺角",
    "skewed": "歪斜",
}
"""The same on a thumbnail."""


def rescan(page: int, faults: Sequence[str]) -> str:
    """What to do about a page (counted from 1) with these faults."""
    return f"第 {page} 页请重扫：{'；'.join(FAULTS[fault] for fault in faults)}"


def refusal(code: str, figures: Mapping[str, int | str]) -> str:
    """The sentence for a refusal; figures may name the page it is about."""
    said = REFUSALS[code].format_map(figures)
    page = figures.get("page")
    return said if page is None else f"第 {page} 页：{said}"


def acceptance(pages: int, *, repaired: bool, notes: Sequence[str]) -> str:
    """The sentence for a file that was taken in."""
    opening = f"文件有损坏，已修复并收下，共 {pages} 页" if repaired else f"已收下，共 {pages} 页"
    return "；".join([opening, *notes]) + "。"
