// SPDX-License-Identifier: GPL-2.0
// picture.mjs PANELS - draw panels with their series as one SVG image, for picture.py
import { readFileSync } from 'node:fs';
import * as echarts from 'echarts';

const COLUMN = 50, LINE = 24, GAP = 4;
const INK = '#d4d4d4', FAINT = '#5b616b', PAPER = '#1c1f24', PANEL = '#24282e';
// Okabe and Ito's, which all people tell apart.
const COLORS = ['#56b4e9', '#e69f00', '#009e73', '#f0e442', '#cc79a7', '#d55e00', '#0072b2', '#999999'];
const NAMED = { green: '#009e73', orange: '#e69f00', red: '#d55e00' };
const UNITS = {
	short: (number) => number >= 1000 ? `${+(number / 1000).toFixed(1)} K` : `${+number.toFixed(1)}`,
	ops: (number) => `${+number.toFixed(1)}/s`,
	Bps: (number) => {
		const power = Math.min(3, Math.max(0, Math.floor(Math.log10(number || 1) / 3)));

		return `${+(number / 1000 ** power).toFixed(1)} ${['', 'k', 'M', 'G'][power]}B/s`;
	},
	s: (number) => number >= 1 ? `${+number.toFixed(1)} s` : `${Math.round(1000 * number)} ms`,
	percentunit: (number) => `${Math.round(number * 100)}%`,
};

const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const last = (series) => series.points.at(-1)[1];
const text = { color: INK, fontFamily: 'DejaVu Sans, Arial, sans-serif', fontSize: 10 };

// Where a query returned nothing there is none to be stacked.
function points(series, times, stacked) {
	const known = new Map(series.points);

	return times.map((time) => [time * 1000, known.get(time) ?? (stacked ? 0 : null)]);
}

function lines(panel, unit, width) {
	const { custom, max, thresholds } = panel.fieldConfig.defaults;
	const stacked = custom.stacking.mode === 'normal';
	const times = [...new Set(panel.series.flatMap((one) => one.points.map(([time]) => time)))].sort();
	const limits = (thresholds?.steps ?? []).filter((step) => step.value !== null);

	return {
		color: COLORS,
		grid: { left: 8, right: 140, top: 12, bottom: 4, containLabel: true },
		legend: {
			type: 'plain', orient: 'vertical', left: width - 135, top: 4, itemWidth: 10, itemHeight: 3, itemGap: 4,
			textStyle: text, data: panel.series.map((one) => ({ name: one.name, icon: 'rect' })),
			formatter: (name) => `${name}: ${unit(last(panel.series.find((one) => one.name === name)))}`,
		},
		xAxis: {
			type: 'time', axisLabel: { ...text, color: FAINT, formatter: (time) => new Date(time).toISOString().slice(11, 16) },
			splitNumber: 4, axisLine: { lineStyle: { color: FAINT } },
		},
		yAxis: {
			type: 'value', min: 0, max, splitNumber: 3, axisLabel: { ...text, color: FAINT, formatter: unit },
			splitLine: { lineStyle: { color: '#33383f' } },
		},
		series: panel.series.map((one, i) => ({
			name: one.name, type: 'line', showSymbol: false, lineStyle: { width: 1.2 },
			stack: stacked ? 'all' : undefined, areaStyle: stacked ? { opacity: custom.fillOpacity / 100 } : undefined,
			data: points(one, times, stacked),
			markLine: i ? undefined : {
				silent: true, symbol: 'none', label: { show: false },
				data: limits.map((step) => ({ yAxis: step.value, lineStyle: { color: NAMED[step.color] } })),
			},
		})),
	};
}

function bars(panel, unit) {
	const sorted = [...panel.series].sort((a, b) => last(a) - last(b));

	return {
		grid: { left: 8, right: 50, top: 4, bottom: 4, containLabel: true },
		xAxis: { type: 'value', show: false, min: 0 },
		yAxis: { type: 'category', data: sorted.map((one) => one.name), axisLabel: text, axisTick: { show: false } },
		series: [{
			type: 'bar', data: sorted.map(last), itemStyle: { color: COLORS[0] },
			label: { show: true, position: 'right', ...text, formatter: ({ value }) => unit(value) },
		}],
	};
}

function number(panel, unit) {
	const value = last(panel.series[0]);
	const steps = (panel.fieldConfig.defaults.thresholds?.steps ?? []).filter((step) => value >= (step.value ?? 0));

	return {
		graphic: {
			type: 'text', left: 'center', top: 'center',
			style: { text: unit(value), fill: NAMED[steps.at(-1)?.color ?? 'green'], font: '26px DejaVu Sans, Arial, sans-serif' },
		},
	};
}

function panel_draw(panel, width, height) {
	const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height: height - 18 });
	const make = { timeseries: lines, bargauge: bars, stat: number }[panel.type];

	chart.setOption({ animation: false, ...make(panel, UNITS[panel.fieldConfig.defaults.unit], width) });
	const svg = chart.renderToSVGString().replace('<svg ', '<svg y="18" ').replace(/\d+\.\d{2,}/g, (text) => (+text).toFixed(1));
	chart.dispose();

	return `<rect width="${width}" height="${height}" rx="3" fill="${PANEL}"/>\n` +
		`<text x="8" y="14" fill="${INK}" font-size="11" font-weight="bold">${escape(panel.title)}</text>\n${svg}`;
}

const panels = JSON.parse(readFileSync(process.argv[2]));
const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * LINE + 2 * GAP;

console.log(`<svg xmlns="http://www.w3.org/2000/svg" width="${24 * COLUMN + 2 * GAP}" height="${height}" ` +
	'font-family="DejaVu Sans, Arial, sans-serif">\n<title>The panels of dashboard.json</title>\n' +
	`<rect width="100%" height="100%" rx="6" fill="${PAPER}"/>`);
for (const panel of panels) {
	const { x, y, w, h } = panel.gridPos;

	console.log(`<g transform="translate(${x * COLUMN + 2 * GAP} ${y * LINE + GAP})">`);
	if (panel.type === 'row')
		console.log(`<text y="17" fill="${INK}" font-size="14">${escape(panel.title)}</text>`);
	else
		console.log(panel_draw(panel, w * COLUMN - GAP, h * LINE - GAP));
	console.log('</g>');
}
console.log('</svg>');
