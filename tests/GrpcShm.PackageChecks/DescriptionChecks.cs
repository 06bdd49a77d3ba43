namespace GrpcShm.PackageChecks;

/// <summary>The description of a package (<c>.nuspec</c>). The registry shows it, and builds use it.</summary>
internal static class DescriptionChecks
{
    public static IEnumerable<string> Find(Package package, Repository repository)
    {
        var wanted = new Dictionary<string, string>
        {
            ["id"] = package.Name,
            ["version"] = repository.Version,
            ["license"] = "MIT",
            ["icon"] = "icon.png",
            ["readme"] = "README.md",
            ["projectUrl"] = repository.Home,
            ["releaseNotes"] = $"{repository.Home}/blob/main/CHANGELOG.md",
        };
        foreach (var (name, value) in wanted)
        {
            var found = package.Element(name)?.Value;
            if (found != value)
            {
                yield return $"{package.Name}: {name} is '{found}', and not '{value}'.";
            }
        }

        if (package.Element("description") is not { Value.Length: > 40 })
        {
            yield return $"{package.Name}: the description is missing or says nothing.";
        }

        var address = package.Element("repository")?.Attribute("url")?.Value;
        if (address != repository.Home)
        {
            yield return $"{package.Name}: the repository is '{address}', and not '{repository.Home}'.";
        }

        // The packages see each other's internals, so none works with another version of a sibling.
        var siblings = package.Project.Siblings.Select(name => $"{name} [{repository.Version}]");
        var asked = package.Dependencies()
            .Where(static dependency => dependency.Name.StartsWith("GrpcShm.", StringComparison.Ordinal))
            .Select(static dependency => $"{dependency.Name} {dependency.Version}")
            .Order(StringComparer.Ordinal);
        if (!asked.SequenceEqual(siblings))
        {
            yield return
                $"{package.Name}: asks for '{string.Join(", ", asked)}', and not for '{string.Join(", ", siblings)}'.";
        }
    }
}
