using System.Text.Json;

namespace GrpcShm.PackageChecks;

/// <summary>The list of the packages that a package depends on (CycloneDX).</summary>
internal static class SbomChecks
{
    public static IEnumerable<string> Find(Package package)
    {
        if (package.File("bom.json") is not { } file)
        {
            yield return $"{package.Name}: has no bom.json.";
            yield break;
        }

        using var document = JsonDocument.Parse(file);
        var root = document.RootElement;
        var about = root.GetProperty("metadata").GetProperty("component").GetProperty("purl").GetString();
        var version = package.Element("version")!.Value;
        if (root.GetProperty("bomFormat").GetString() != "CycloneDX" || about != $"pkg:nuget/{package.Name}@{version}")
        {
            yield return $"{package.Name}: bom.json is about '{about}'.";
        }

        var components = root.GetProperty("components").EnumerateArray().ToDictionary(
            static component => component.GetProperty("name").GetString()!);
        foreach (var (name, range) in package.Dependencies())
        {
            var lowest = range.Trim('[', ']').Split(',')[0];
            if (!components.TryGetValue(name, out var component)
                || component.GetProperty("version").GetString() != lowest
                || component.GetProperty("scope").GetString() != "required")
            {
                yield return $"{package.Name}: bom.json does not list {name} {lowest} as a required package.";
            }
        }

        foreach (var (name, component) in components)
        {
            if (!name.StartsWith("GrpcShm.", StringComparison.Ordinal)
                && !(component.TryGetProperty("licenses", out _) && component.TryGetProperty("hashes", out _)))
            {
                yield return $"{package.Name}: bom.json says no licence or no hash of {name}.";
            }
        }
    }
}
