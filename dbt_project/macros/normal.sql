{#-
  The standard normal distribution in SQL that both engines run, for arguments that are columns of doubles; an argument is
  repeated in the expression, so give a name, not a formula. Numbers with an exponent are doubles.
-#}

{#- A polynomial by Horner's rule, its coefficients from the highest power down. -#}
{% macro polynomial(x, coefficients) -%}
    {%- set nested = namespace(sql=coefficients[0]) -%}
    {%- for coefficient in coefficients[1:] -%}
        {%- set nested.sql = '(' ~ nested.sql ~ ' * ' ~ x ~ ' + ' ~ coefficient ~ ')' -%}
    {%- endfor -%}
    {{ nested.sql }}
{%- endmacro %}

{#-
  N(x), after Hart (1968) as given by West, Better approximations to cumulative normal functions (2005), to 1e-14. Beyond
  7.07 standard deviations it stays at the value there, which is below 1e-12.
-#}
{% macro normal_cdf(x) -%}
    {%- set z = 'least(abs(' ~ x ~ '), 7.07106781186547e0)' -%}
    {%- set over = [
        '3.52624965998911e-2', '0.700383064443688e0', '6.37396220353165e0', '33.912866078383e0', '112.079291497871e0',
        '221.213596169931e0', '220.206867912376e0',
    ] -%}
    {%- set under = [
        '8.83883476483184e-2', '1.75566716318264e0', '16.064177579207e0', '86.7807322029461e0', '296.564248779674e0',
        '637.333633378831e0', '793.826512519948e0', '440.413735824752e0',
    ] -%}
    case when {{ x }} is not null then
        case when {{ x }} > 0 then 1e0 else 0e0 end
        - case when {{ x }} > 0 then 1e0 else -1e0 end
        * exp(-{{ z }} * {{ z }} / 2e0) * {{ polynomial(z, over) }} / {{ polynomial(z, under) }}
    end
{%- endmacro %}

{#- The inverse of N, by algorithm AS 241 (Wichura, 1988), to 1e-15 relative for p from 1e-10 to 1 - 1e-10; kept within. -#}
{% macro normal_quantile(p) -%}
    {%- set within = 'least(greatest(' ~ p ~ ', 1e-10), 1e0 - 1e-10)' -%}
    {%- set q = '(' ~ within ~ ' - 0.5e0)' -%}
    {%- set middle = '(0.180625e0 - ' ~ q ~ ' * ' ~ q ~ ')' -%}
    {%- set tail = '(sqrt(-ln(least(' ~ within ~ ', 1e0 - ' ~ within ~ '))) - 1.6e0)' -%}
    {%- set a = [
        '2.5090809287301226727e3', '3.3430575583588128105e4', '6.7265770927008700853e4', '4.5921953931549871457e4',
        '1.3731693765509461125e4', '1.9715909503065514427e3', '1.3314166789178437745e2', '3.3871328727963666080e0',
    ] -%}
    {%- set b = [
        '5.2264952788528545610e3', '2.8729085735721942674e4', '3.9307895800092710610e4', '2.1213794301586595867e4',
        '5.3941960214247511077e3', '6.8718700749205790830e2', '4.2313330701600911252e1', '1e0',
    ] -%}
    {%- set c = [
        '7.74545014278341407640e-4', '2.27238449892691845833e-2', '2.41780725177450611770e-1',
        '1.27045825245236838258e0', '3.64784832476320460504e0', '5.76949722146069140550e0',
        '4.63033784615654529590e0', '1.42343711074968357734e0',
    ] -%}
    {%- set d = [
        '1.05075007164441684324e-9', '5.47593808499534494600e-4', '1.51986665636164571966e-2',
        '1.48103976427480074590e-1', '6.89767334985100004550e-1', '1.67638483018380384940e0',
        '2.05319162663775882187e0', '1e0',
    ] -%}
    case
        when {{ p }} is null then null
        when {{ middle }} >= 0 then {{ q }} * {{ polynomial(middle, a) }} / {{ polynomial(middle, b) }}
        else sign({{ q }}) * {{ polynomial(tail, c) }} / {{ polynomial(tail, d) }}
    end
{%- endmacro %}
