"""The engines that turn a page picture into lines; they take and give values and know no Django."""
