using System.Reflection;
using System.Text;

namespace GrpcShm.OptionsReference;

/// <summary>The page of all options, and what is missing in their documentation.</summary>
/// <param name="types">The types of options, in the order of the page.</param>
internal sealed class OptionsPage(IReadOnlyList<OptionType> types)
{
    /// <summary>The command that writes the page, in the root of the source tree.</summary>
    public const string Command = "dotnet run -c Release --project build/GrpcShm.OptionsReference";

    private const string Beginning =
        $"""
        # All options

        Every option of the libraries, with its default, the values that it takes, and its effect. `{Command}` writes
        this page from the documentation of the code. Change the documentation there, not here.

        A value that an option does not take is refused, unless the column "values" says what it counts as: when it is
        set, by an `ArgumentException` (`ArgumentOutOfRangeException` if it is out of range), or when the client is made
        or the server starts. In the configuration, a time is written as `"00:00:05"`, and a size as a number of bytes.

        """;

    private const string OfTheProcess =
        """

        ## Settings of the process

        All channels and endpoints of a process share its reactors. So these settings are those of the process. They are
        in the project file:

        ```xml
        <ItemGroup>
          <RuntimeHostConfigurationOption Include="GrpcShm.ReactorCount" Value="2" />
          <RuntimeHostConfigurationOption Include="GrpcShm.SpinMicroseconds" Value="0" />
        </ItemGroup>
        ```

        | setting | default | values | effect |
        |---|---|---|---|

        """;

    private const string OfTheEnvironment =
        """

        ## Environment variables

        | variable | effect |
        |---|---|

        """;

    // The values of an option may be of another library than the option.
    private readonly Documentation _documentation = new(
        types.Select(static options => options.Type)
            .Concat(Enumerations(types))
            .Select(static type => type.Assembly)
            .Distinct());

    private readonly List<string> _problems = [];

    /// <summary>The faults of the documentation, for those who write it.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Makes the page.</summary>
    public string Write()
    {
        var text = new StringBuilder(Beginning);
        foreach (var missing in OptionTypes.Public().Except(types.Select(static options => options.Type)))
        {
            _problems.Add($"{missing}: a type of options that {nameof(OptionTypes)} does not have.");
        }

        foreach (var options in types)
        {
            Write(text, options);
        }

        WriteEnumerations(text);
        text.Append(OfTheProcess);
        foreach (var (name, value, values, effect) in RunTimeSettings.InRunTimeConfiguration)
        {
            text.Append($"| `{name}` | {value} | {values} | {effect} |\n");
        }

        text.Append(OfTheEnvironment);
        foreach (var (name, effect) in RunTimeSettings.InEnvironment)
        {
            text.Append($"| `{name}` | {effect} |\n");
        }

        return text.ToString();
    }

    private void Write(StringBuilder text, OptionType options)
    {
        text.Append($"\n## {options.Type.Name}\n\n{_documentation.Of(options.Type)}\n\n{options.Use}\n\n");
        text.Append($"{WriteNamespaces(options)}\n\n");
        text.Append("| option | type | default | values | effect |");
        text.Append(options.HasKeys ? " in the configuration |\n" : "\n");
        text.Append("|---|---|---|---|---|");
        text.Append(options.HasKeys ? "---|\n" : "\n");
        foreach (var option in options.Options)
        {
            var (value, more) = WriteDefault(option, options.Instance);
            var effect = _documentation.Of(option, "summary");
            Check(effect.Length > 0, option, "has no summary, so its effect is not known.");
            var cells = $"`{option.Name}` | `{TypeText.Of(option)}` | {value} | {WriteValues(option)} | {effect}{more}";
            text.Append($"| {cells} |");
            text.Append(options.HasKeys
                ? $" {(options.Key(option) is { } key ? $"`{key}`" : "only in code")} |\n"
                : "\n");
        }
    }

    /// <summary>The namespaces of the options and of their values, for the directives of a program.</summary>
    private static string WriteNamespaces(OptionType options)
    {
        var text = $"Namespace: `{options.Type.Namespace}`.";
        var others = options.Options
            .Select(static option => option.PropertyType)
            .Where(type => type.IsEnum && type.Namespace != options.Type.Namespace && type != typeof(UnixFileMode))
            .Distinct();
        return others.Aggregate(text, static (text, type) => text + $" `{type.Name}` is in `{type.Namespace}`.");
    }

    /// <summary>The default, and the rest of the text about it, for the effect.</summary>
    private (string Default, string More) WriteDefault(PropertyInfo option, object instance)
    {
        var remarks = _documentation.Of(option, "remarks");
        if (!remarks.StartsWith(DefaultText.Beginning, StringComparison.Ordinal))
        {
            Check(false, option, $"has remarks that do not begin with '{DefaultText.Beginning}'.");
            return ("", "");
        }

        var text = remarks[DefaultText.Beginning.Length..];
        var value = option.GetValue(instance);
        Check(
            DefaultText.Says(option, value, text),
            option,
            $"has the value '{value}' in a new instance, but its documentation says '{remarks}'.");

        // "none", "`null`: nothing is logged", "65,536. Sends wait here, too."
        var end = EndOfValue(text);
        if (end == text.Length - 1)
        {
            return (text.TrimEnd('.'), "");
        }

        var rest = text[(end + 1)..];
        return (text[..end], text[end] == ':' ? $" By default:{rest}" : rest);
    }

    /// <summary>Where the value ends: at the first colon or full stop that is not part of code.</summary>
    private static int EndOfValue(string text)
    {
        var isCode = false;
        for (var i = 0; i < text.Length; i++)
        {
            isCode ^= text[i] == '`';
            if (!isCode && text[i] is (':' or '.'))
            {
                return i;
            }
        }

        return text.Length - 1;
    }

    private static IEnumerable<Type> Enumerations(IEnumerable<OptionType> types) =>
        types.SelectMany(static options => options.Options)
            .Select(static option => option.PropertyType)
            .Where(static type => type.IsEnum && type != typeof(UnixFileMode))
            .Distinct();

    private void WriteEnumerations(StringBuilder text)
    {
        foreach (var type in Enumerations(types).OrderBy(static type => type.Name, StringComparer.Ordinal))
        {
            if (_documentation.Of(type).Length == 0)
            {
                _problems.Add($"{type} has no summary.");
            }

            text.Append($"\n## {type.Name}\n\n{_documentation.Of(type)}\n\n");
            text.Append($"Namespace: `{type.Namespace}`.\n\n| value | what it means |\n|---|---|\n");
            foreach (var name in Enum.GetNames(type))
            {
                var meaning = _documentation.Of(type, name);
                if (meaning.Length == 0)
                {
                    _problems.Add($"{type}.{name} has no summary, so what it means is not known.");
                }

                text.Append($"| `{name}` | {meaning} |\n");
            }
        }
    }

    private string WriteValues(PropertyInfo option)
    {
        var text = _documentation.Of(option, "value");
        var type = Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType;
        if (text.Length > 0)
        {
            return text.TrimEnd('.');
        }

        Check(
            type != typeof(int) && type != typeof(long) && type != typeof(TimeSpan),
            option,
            "has no element <value> that says which values it takes, for example '1 to 64.' or '1 KiB or more.'");
        return type.IsEnum && type != typeof(UnixFileMode)
            ? string.Join(", ", Enum.GetNames(type).Select(static name => $"`{name}`"))
            : type == typeof(bool) ? "`true`, `false`" : "";
    }

    private void Check(bool isFine, PropertyInfo option, string problem)
    {
        if (!isFine)
        {
            _problems.Add($"{option.DeclaringType!.Name}.{option.Name} {problem}");
        }
    }
}
