/* page-checks: what the tests measure in the page, from within; read into it by
   browser_load(). The page itself has no script. */

/* Pixels by which the page is wider than the screen. */
function overflow() {
	const root = document.documentElement;

	return root.scrollWidth - root.clientWidth;
}

function isHidden(element) {
	const head = element.closest('thead');

	return head && getComputedStyle(head).position == 'absolute';
}

/* The elements that reach over the right edge, by name; "" for none. */
function tooWide() {
	const width = document.documentElement.clientWidth + 0.5;

	return [...document.querySelectorAll('body *')]
		.filter(e => !isHidden(e))
		.filter(e => e.getBoundingClientRect().right > width)
		.map(e => e.tagName + '.' + e.getAttribute('class'))
		.join(' ');
}

function count(selector) {
	return document.querySelectorAll(selector).length;
}

/* Attributes that could run or fetch something. */
function activeAttributes() {
	return [...document.querySelectorAll('*')]
		.flatMap(e => e.getAttributeNames())
		.filter(name => /^on|^style$|href|src/.test(name))
		.join(' ');
}

/* Is there an element for a stranger's text with that and nothing else? */
function isShown(text) {
	return [...document.querySelectorAll('bdi')]
		.some(e => e.textContent == text);
}

/* The old server's share of what is drawn in the panel of shares, in thousandths,
   -1 if nothing is; and how many hatched rectangles there are. */
function slotShare(plot, i, panelEnd) {
	const slot = document.querySelectorAll('.' + plot + ' .slot')[i];
	const parts = [...slot.querySelectorAll('.old, .new')]
		.filter(e => e.y.baseVal.value < panelEnd);
	const height = side => parts.filter(e => e.matches(side))
		.reduce((sum, e) => sum + e.height.baseVal.value, 0);
	const all = height('.old') + height('.new');
	const share = all == 0 ? -1 : Math.round(1000 * height('.old') / all);

	return share + ' ' + slot.querySelectorAll('.hatched').length;
}

/* WCAG 2.1, relative luminance */
function luminance(colour) {
	const [red, green, blue] = colour.map(value => value / 255)
		.map(value => value <= 0.03928 ? value / 12.92 :
			((value + 0.055) / 1.055) ** 2.4);

	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function parseColour(text) {
	return text.match(/[\d.]+/g).map(Number);
}

function colourBehind(element) {
	for (; element; element = element.parentElement) {
		const colour = parseColour(
			getComputedStyle(element).backgroundColor);

		if (colour.length < 4 || colour[3] > 0)
			return colour;
	}
	return [255, 255, 255];
}

function contrast(element) {
	const style = getComputedStyle(element);
	const text = luminance(parseColour(
		element.tagName == 'text' ? style.fill : style.color));
	const behind = luminance(colourBehind(element));

	return (Math.max(text, behind) + 0.05) /
		(Math.min(text, behind) + 0.05);
}

function hasText(element) {
	return element.tagName != 'title' && [...element.childNodes]
		.some(n => n.nodeType == Node.TEXT_NODE &&
			n.textContent.trim());
}

/* Of all texts, in hundredths. */
function leastContrast() {
	return Math.floor(100 * Math.min(
		...[...document.querySelectorAll('body *')]
			.filter(hasText).map(contrast)));
}

/* In CSS pixels. */
function leastFontSize() {
	return Math.min(...[...document.querySelectorAll('body *')]
		.filter(hasText)
		.map(e => parseFloat(getComputedStyle(e).fontSize)));
}

function styleOf(selector, property) {
	return getComputedStyle(document.querySelector(selector))[property];
}

function contentBefore(selector) {
	return getComputedStyle(document.querySelector(selector),
				'::before').content;
}
