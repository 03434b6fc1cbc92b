<?php
/**
 * Plugin Name: Masthead
 * Description: The reader's own city and temperature, from the Masthead service that your web server hands a few paths on to.
 * Version: 0.1.0
 * Requires at least: 6.1
 * Requires PHP: 7.4
 * License: MIT
 * Text Domain: masthead
 *
 * Pages hold a placeholder only, the same for every reader, so caches may keep them.
 */

defined( 'ABSPATH' ) || exit;

/* Settings */

/** All settings, whatever is stored. */
function masthead_settings() {
	$defaults = array(
		'prefix'       => '',
		'units'        => '',
		'fallback'     => '',
		'place_target' => '',
		'temp_target'  => '',
		'show'         => '',
		'href'         => '',
		'line'         => '',
		'credits'      => '1',
	);
	$stored   = get_option( 'masthead', array() );
	return array_intersect_key( is_array( $stored ) ? $stored : array(), $defaults ) + $defaults;
}

/** What each unit is called; its keys are the values of `data-units`. */
function masthead_units() {
	return array(
		''     => __( 'As the service is configured', 'masthead' ),
		'c'    => '°C',
		'f'    => '°F',
		'auto' => __( 'What the reader’s country uses', 'masthead' ),
	);
}

/** Of a list of parts with commas or spaces, those that there are. */
function masthead_known_parts( $list ) {
	$parts = array( 'icon', 'condition', 'range', 'rain', 'feels', 'hours', 'date' );
	return implode( ',', array_intersect( preg_split( '/[,\s]+/', (string) $list ), $parts ) );
}

/** A path of the site or an address of https, else nothing. `{id}` stands for the place's GeoNames number. */
function masthead_known_link( $link ) {
	return preg_match( '~^(/(?!/)|https://)[^\s<>"]*$~D', (string) $link ) ? $link : '';
}

/** Makes what a form or a program hands in settings that may be stored. */
function masthead_sanitize( $input ) {
	$text  = function ( $key ) use ( $input ) {
		$value = is_array( $input ) && isset( $input[ $key ] ) && is_scalar( $input[ $key ] ) ? $input[ $key ] : '';
		return trim( wp_html_excerpt( sanitize_text_field( $value ), 200 ) );
	};
	$clean = array();
	foreach ( array( 'fallback', 'place_target', 'temp_target' ) as $key ) {
		$clean[ $key ] = $text( $key );
	}
	foreach ( array( 'line', 'credits' ) as $key ) {
		$clean[ $key ] = $text( $key ) ? '1' : '';
	}
	$clean['show']   = masthead_known_parts( $text( 'show' ) );
	$clean['href']   = masthead_known_link( $text( 'href' ) );
	$clean['units']  = array_key_exists( $text( 'units' ), masthead_units() ) ? $text( 'units' ) : '';
	$clean['prefix'] = untrailingslashit( $text( 'prefix' ) );
	if ( ! preg_match( '~^(/[A-Za-z0-9_-]+)*$~D', $clean['prefix'] ) ) {
		$clean['prefix'] = '';
		add_settings_error( 'masthead', 'prefix', __( 'A prefix is a path such as /weather; none is used now.', 'masthead' ) );
	}
	return $clean;
}

add_action(
	'admin_init',
	function () {
		register_setting(
			'masthead',
			'masthead',
			array(
				'type'              => 'object',
				'sanitize_callback' => 'masthead_sanitize',
			)
		);
		$policy  = '<p>' . __( 'Pages show the weather where you probably are. Our own server looks your network address up in a database of its own; it tells nobody outside, keeps no record and sets no cookie. A city that you choose yourself is kept in your browser only.', 'masthead' ) . '</p>';
		$policy .= '<p>' . __( 'When you press “Use my position”, your browser asks you first. The position is rounded to about 11 km before it is sent to our server.', 'masthead' ) . '</p>';
		wp_add_privacy_policy_content( 'Masthead', wp_kses_post( $policy ) );
	}
);

add_action(
	'admin_menu',
	function () {
		add_options_page( 'Masthead', 'Masthead', 'manage_options', 'masthead', 'masthead_settings_page' );
	}
);

function masthead_settings_page() {
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	$settings = masthead_settings();
	$texts    = array(
		'place_target' => array( __( 'Header: city', 'masthead' ), __( 'The selector of the element in your theme that shows the city, such as #city. No file of the theme has to change.', 'masthead' ) ),
		'temp_target'  => array( __( 'Header: temperature', 'masthead' ), __( 'The selector of the element that shows the temperature, such as #temp.', 'masthead' ) ),
		'show'         => array( __( 'Show also', 'masthead' ), __( 'Parts beside city and temperature, with commas: icon, condition, range, rain, feels, hours, date.', 'masthead' ) ),
		'href'         => array( __( 'Link', 'masthead' ), __( 'Where the temperature leads, such as /weather/{id}; {id} becomes the number of the place.', 'masthead' ) ),
		'fallback'     => array( __( 'Fallback', 'masthead' ), __( 'What is shown where no city is known, or the service cannot be reached.', 'masthead' ) ),
		'prefix'       => array( __( 'Prefix', 'masthead' ), __( 'The path before the service’s own, such as /weather, if your web server hands a whole folder on. Otherwise empty.', 'masthead' ) ),
	);
	$boxes    = array(
		'line'    => __( 'A line on top of each page', 'masthead' ),
		'credits' => __( 'Credits of the weather’s sources at the end of each page, which their licences ask for', 'masthead' ),
	);
	echo '<div class="wrap"><h1>Masthead</h1><form action="options.php" method="post">';
	settings_fields( 'masthead' ); // with the nonce; options.php asks for manage_options
	echo '<table class="form-table" role="presentation">';
	foreach ( $texts as $key => list( $label, $help ) ) {
		printf(
			'<tr><th scope="row"><label for="masthead-%1$s">%2$s</label></th><td><input class="regular-text code" id="masthead-%1$s" name="masthead[%1$s]" value="%3$s" maxlength="200" aria-describedby="masthead-%1$s-help"><p class="description" id="masthead-%1$s-help">%4$s</p></td></tr>',
			esc_attr( $key ),
			esc_html( $label ),
			esc_attr( $settings[ $key ] ),
			esc_html( $help )
		);
	}
	printf( '<tr><th scope="row"><label for="masthead-units">%s</label></th><td><select id="masthead-units" name="masthead[units]">', esc_html__( 'Unit', 'masthead' ) );
	foreach ( masthead_units() as $unit => $label ) {
		printf( '<option value="%s"%s>%s</option>', esc_attr( $unit ), selected( $settings['units'], $unit, false ), esc_html( $label ) );
	}
	echo '</select></td></tr>';
	foreach ( $boxes as $key => $label ) {
		printf( '<tr><th scope="row"></th><td><label><input type="checkbox" name="masthead[%s]" value="1"%s> %s</label></td></tr>', esc_attr( $key ), checked( $settings[ $key ], '1', false ), esc_html( $label ) );
	}
	echo '</table>';
	submit_button();
	echo '</form></div>';
}

/* On the page */

/** Whether what is made is a page for a browser with scripts. */
function masthead_is_page() {
	return ! is_feed() && ! is_embed() && ! ( function_exists( 'amp_is_request' ) && amp_is_request() );
}

/** Where one of the service's paths is, on the site's host, also where the site itself is in a folder. */
function masthead_url( $path ) {
	return preg_replace( '~^(https?://[^/]+).*~', '$1', home_url() ) . masthead_settings()['prefix'] . $path;
}

/** The attributes that the settings ask for, or a shortcode of its own, escaped. */
function masthead_attributes( $own = array() ) {
	$settings   = array_merge( masthead_settings(), $own );
	$attributes = array(
		'endpoint' => $settings['prefix'] ? $settings['prefix'] . '/widget.json' : '',
		'units'    => $settings['units'],
		'fallback' => $settings['fallback'],
		'show'     => masthead_known_parts( $settings['show'] ),
		'href'     => masthead_known_link( $settings['href'] ),
	);
	$html       = '';
	foreach ( array_filter( $attributes, 'strlen' ) as $name => $value ) {
		$html .= sprintf( ' data-%s="%s"', $name, esc_attr( $value ) );
	}
	return $html;
}

/** The element; nothing in feeds, embeds and AMP. The placeholder is in no language. */
function masthead_element( $own = array() ) {
	return masthead_is_page() ? '<masthead-weather' . masthead_attributes( $own ) . '>-- °C</masthead-weather>' : '';
}

add_shortcode(
	'masthead_weather',
	function ( $given ) {
		return masthead_element( array_intersect_key( (array) $given, array_fill_keys( array( 'show', 'href' ), '' ) ) );
	}
);

add_action(
	'init',
	function () {
		wp_register_script( 'masthead-block', false, array( 'wp-blocks', 'wp-element', 'wp-block-editor' ), '1', true );
		wp_add_inline_script(
			'masthead-block',
			"wp.blocks.registerBlockType( 'masthead/weather', { edit: () => wp.element.createElement( 'div', wp.blockEditor.useBlockProps(), '-- °C' ), save: () => null } );"
		);
		register_block_type(
			'masthead/weather',
			array(
				'api_version'           => 2,
				'title'                 => __( 'Reader’s weather', 'masthead' ),
				'description'           => __( 'City and temperature where the reader is.', 'masthead' ),
				'category'              => 'widgets',
				'icon'                  => 'cloud',
				'keywords'              => array( 'masthead', 'weather', 'temperature' ),
				'editor_script_handles' => array( 'masthead-block' ),
				'supports'              => array(
					'html'       => false,
					'align'      => true,
					'color'      => array( 'link' => false ),
					'typography' => array( 'fontSize' => true ),
				),
				'render_callback'       => function () {
					$element = masthead_element();
					return $element ? '<div ' . get_block_wrapper_attributes() . '>' . $element . '</div>' : '';
				},
			)
		);
	}
);

// The names are without a hash, so that a page which a cache keeps over an upgrade finds them.
add_action(
	'wp_enqueue_scripts',
	function () {
		if ( masthead_is_page() ) {
			wp_enqueue_style( 'masthead', masthead_url( '/masthead.css' ), array(), null );
			wp_enqueue_script( 'masthead', masthead_url( '/masthead.js' ), array(), null, false );
		}
	}
);

// Nothing waits for the script, and optimisers leave it as it is.
add_filter(
	'script_loader_tag',
	function ( $tag, $handle ) {
		return 'masthead' === $handle ? str_replace( ' src=', ' async data-cfasync="false" data-no-optimize="1" src=', $tag ) : $tag;
	},
	10,
	2
);

add_action(
	'wp_body_open',
	function () {
		if ( masthead_settings()['line'] && masthead_is_page() ) {
			echo '<div class="masthead-line">' . masthead_element() . '</div>'; // phpcs:ignore WordPress.Security.EscapeOutput -- escaped where it is made
		}
	}
);

add_action(
	'wp_footer',
	function () {
		if ( ! masthead_is_page() ) {
			return;
		}
		$settings = masthead_settings();
		if ( $settings['place_target'] ) {
			printf(
				'<span hidden data-place-target="%s"%s%s></span>',
				esc_attr( $settings['place_target'] ),
				$settings['temp_target'] ? ' data-temp-target="' . esc_attr( $settings['temp_target'] ) . '"' : '',
				masthead_attributes() // phpcs:ignore WordPress.Security.EscapeOutput -- escaped where it is made
			);
		}
		if ( $settings['credits'] ) {
			echo '<small data-masthead-credits></small>';
		}
		// Where the script does not come, nothing else would end the placeholder.
		wp_print_inline_script_tag(
			"setTimeout( () => customElements.get( 'masthead-weather' ) || document.querySelectorAll( 'masthead-weather,[data-masthead],[data-place-target]' ).forEach( ( el ) => {
	let { placeTarget, fallback } = el.dataset, place = placeTarget ? document.querySelector( placeTarget ) : el;
	if ( place ) place.textContent = fallback || ( placeTarget ? '' : '-- °C' );
} ), 10000 );",
			array(
				'data-cfasync'     => 'false',
				'data-no-optimize' => '1',
			)
		);
	}
);

/* What is written */

// For who may not write HTML unfiltered: the element stays; `<span data-masthead>` does anyway.
add_filter(
	'wp_kses_allowed_html',
	function ( $tags, $context ) {
		if ( 'post' === $context ) {
			$tags['masthead-weather'] = array_fill_keys( array( 'data-*', 'class', 'lang', 'dir', 'id' ), true );
		}
		return $tags;
	},
	10,
	2
);

// Two hyphens in a placeholder stay two.
add_filter(
	'no_texturize_tags',
	function ( $tags ) {
		return array_merge( $tags, array( 'masthead-weather' ) );
	}
);

/**
 * Makes text of the directives that nginx (SSI) and Varnish (ESI) would obey. WordPress keeps HTML comments in what
 * visitors write. The theme is not filtered: a directive of yours stands there.
 */
function masthead_disarm( $text ) {
	return is_string( $text ) ? preg_replace( '/<(?=!--#|!--esi|\/?esi:)/i', '&lt;', $text ) : $text;
}

foreach ( array(
	'comment_text', 'comment_text_rss', 'comment_excerpt', 'get_comment_text', 'get_comment_excerpt',
	'comment_author', 'comment_author_rss', 'get_comment_author', 'get_comment_author_link', 'get_comment_author_url_link',
	'the_title', 'the_title_rss', 'single_post_title', 'wp_title', 'document_title',
	'the_content', 'the_content_feed', 'the_excerpt', 'the_excerpt_rss', 'get_the_excerpt',
	'the_author', 'the_author_posts_link', 'get_the_author_description', 'get_search_query', 'widget_text', 'widget_title',
) as $masthead_hook ) {
	add_filter( $masthead_hook, 'masthead_disarm', PHP_INT_MAX );
}

/* Site health */

/** Asks the service as a reader's browser would, through the web server. */
function masthead_site_health() {
	$url    = masthead_url( '/widget.json' );
	$answer = wp_remote_get(
		$url,
		array(
			'timeout'             => 3,
			'redirection'         => 0,
			'limit_response_size' => 65536,
		)
	);
	$body   = json_decode( wp_remote_retrieve_body( $answer ), true );
	$good   = 200 === wp_remote_retrieve_response_code( $answer ) && is_array( $body ) && isset( $body['state'] );
	$said   = is_wp_error( $answer ) ? $answer->get_error_message() : wp_remote_retrieve_response_code( $answer );
	return array(
		'label'       => $good ? __( 'The Masthead service answers', 'masthead' ) : __( 'The Masthead service does not answer', 'masthead' ),
		'status'      => $good ? 'good' : 'recommended',
		'badge'       => array(
			'label' => 'Masthead',
			'color' => 'blue',
		),
		'description' => '<p>' . esc_html(
			$good
				/* translators: %s: an address */
				? sprintf( __( '%s was asked as a reader’s browser asks it.', 'masthead' ), $url )
				/* translators: 1: an address, 2: a status or an error */
				: sprintf( __( '%1$s said: %2$s. Does the service run, and does the web server hand its paths on to it? Readers see the placeholder, then the fallback.', 'masthead' ), $url, $said )
		) . '</p>',
		'actions'     => '',
		'test'        => 'masthead',
	);
}

add_filter(
	'site_status_tests',
	function ( $tests ) {
		$tests['direct']['masthead'] = array(
			'label' => 'Masthead',
			'test'  => 'masthead_site_health',
		);
		return $tests;
	}
);

/** Leaves nothing behind. */
function masthead_uninstall() {
	delete_option( 'masthead' );
}
register_uninstall_hook( __FILE__, 'masthead_uninstall' );
