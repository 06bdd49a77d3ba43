using System.Xml.Linq;

namespace GrpcShm.PackageChecks;

/// <summary>The documentation file: it has the whole public surface and nothing else.</summary>
internal static class DocumentationChecks
{
    private static readonly string[] GeneratedEndings = ["FieldNumber", "Reflection"];
    private static readonly string[] OwnNamespaces = ["GrpcShm.", "XStateNet.Events."];

    public static IEnumerable<string> Find(Package package, PublicSurface surface)
    {
        var members = XDocument.Load(new MemoryStream(package.Documentation())).Descendants("member").ToList();
        var documented = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in members)
        {
            var name = member.Attribute("name")!.Value;
            documented.Add(PublicSurface.KeyOf(name));
            if (!surface.Members.Contains(PublicSurface.KeyOf(name)))
            {
                yield return $"{package.Name}: its documentation tells of {name}, which is not public.";
            }

            if (GeneratedEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal)))
            {
                yield return $"{package.Name}: its documentation tells of {name}, which only generated code uses.";
            }

            var references = member.Descendants().Attributes("cref");
            foreach (var reference in references.Where(item => !IsKnown(item.Value, surface)))
            {
                yield return $"{package.Name}: the documentation of {name} refers to {reference.Value}, "
                    + "which is not public.";
            }
        }

        var declared = package.Project.DeclaredTypes().ToList();
        if (declared.Count == 0)
        {
            yield return $"{package.Name}: no type was found in its PublicAPI files.";
        }

        foreach (var missing in declared.SelectMany(surface.ToDocument).Where(member => !documented.Contains(member)))
        {
            yield return $"{package.Name}: its documentation says nothing about {missing}.";
        }
    }

    private static bool IsKnown(string reference, PublicSurface surface) =>
        reference[0] != '!'
        && (!OwnNamespaces.Any(space => reference[2..].StartsWith(space, StringComparison.Ordinal))
            || reference[0] == 'N'
            || surface.Members.Contains(PublicSurface.KeyOf(reference)));
}
