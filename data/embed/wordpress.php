<?php // In your theme's header.php, before </head>: ?>
<link rel="stylesheet" href="/masthead.css">
<script async data-cfasync="false" src="/masthead.js"></script>

<?php // and where the placeholder is: ?>
<masthead-weather lang="<?php echo esc_attr( get_bloginfo( 'language' ) ); ?>">Fetching location... -- °C</masthead-weather>
