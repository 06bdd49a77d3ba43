using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace GrpcShm.OptionsReference;

/// <summary>The documentation files of the libraries, as text for a page.</summary>
internal sealed partial class Documentation
{
    private readonly Dictionary<string, XElement> _members = new(StringComparer.Ordinal);

    /// <summary>Reads the files beside this program.</summary>
    public Documentation(IEnumerable<Assembly> assemblies)
    {
        foreach (var assembly in assemblies)
        {
            var file = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml"));
            foreach (var member in file.Descendants("member"))
            {
                _members[member.Attribute("name")!.Value] = member;
            }
        }
    }

    /// <summary>The text of an element of an option's documentation; empty if it has none.</summary>
    public string Of(PropertyInfo option, string element) =>
        _members.TryGetValue($"P:{option.DeclaringType!.FullName}.{option.Name}", out var member)
            && member.Element(element) is { } found
            ? Write(found, option.DeclaringType)
            : "";

    /// <summary>The text of a type's summary.</summary>
    public string Of(Type type) =>
        _members.TryGetValue($"T:{type.FullName}", out var member) && member.Element("summary") is { } summary
            ? Write(summary, type)
            : "";

    /// <summary>The text of the summary of a value of an enumeration.</summary>
    public string Of(Type type, string value) =>
        _members.TryGetValue($"F:{type.FullName}.{value}", out var member) && member.Element("summary") is { } summary
            ? Write(summary, type)
            : "";

    private static string Write(XElement element, Type owner)
    {
        var text = new StringBuilder();
        foreach (var node in element.Nodes())
        {
            text.Append(node switch
            {
                XText plain => plain.Value,
                XElement { Name.LocalName: "c" } code => WriteCode(code.Value),
                XElement { Name.LocalName: "see" } see => $"`{Name(see, owner)}`",
                _ => throw new FormatException($"The page cannot show <{node}> of {owner.Name}."),
            });
        }

        return Space().Replace(text.ToString(), " ").Trim().Replace("|", "\\|", StringComparison.Ordinal);
    }

    // A page of the documentation becomes a link.
    private static string WriteCode(string code) =>
        PagePath().Match(code) is { Success: true } page
            ? $"[{Path.GetFileName(code)}](../{page.Groups["path"].Value})"
            : $"`{code}`";

    private static string Name(XElement see, Type owner)
    {
        if (see.Attribute("langword") is { } word)
        {
            return word.Value;
        }

        // "P:Space.Type.Member", "T:Space.Type", "M:Space.Type.Method(System.Int32)".
        var reference = see.Attribute("cref")!.Value;
        var parts = reference[2..].Split('(')[0].Split('.');
        return reference[0] == 'T' || parts[^2] == owner.Name ? parts[^1] : $"{parts[^2]}.{parts[^1]}";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"^docs/(?<path>[\w/-]+\.md)$")]
    private static partial Regex PagePath();
}
