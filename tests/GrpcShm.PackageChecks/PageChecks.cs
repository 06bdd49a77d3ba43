using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;

namespace GrpcShm.PackageChecks;

/// <summary>The page of the package on the registry, the icon and the licence.</summary>
internal static partial class PageChecks
{
    private const int IconSize = 128;

    public static IEnumerable<string> Find(Package package, Repository repository)
    {
        if (package.File("LICENSE") is null)
        {
            yield return $"{package.Name}: has no LICENSE.";
        }

        if (package.File("icon.png") is not { } icon || !IsIcon(icon))
        {
            yield return $"{package.Name}: icon.png is missing, or is no PNG of {IconSize} by {IconSize}.";
        }

        if (package.File("README.md") is not { } page)
        {
            yield return $"{package.Name}: has no README.md.";
            yield break;
        }

        var text = Encoding.UTF8.GetString(page);
        if (!text.StartsWith($"# {package.Name}\n", StringComparison.Ordinal))
        {
            yield return $"{package.Name}: its page begins with '{text.Split('\n')[0]}', and not with the name.";
        }

        foreach (var link in Link().Matches(text).Select(static match => match.Groups["target"].Value))
        {
            if (FaultOf(link, repository) is { } fault)
            {
                yield return $"{package.Name}: the page's link {link} {fault}";
            }
        }
    }

    private static string? FaultOf(string link, Repository repository)
    {
        if (!Uri.TryCreate(link, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps)
        {
            return "is not absolute: the registry's page has no files beside it.";
        }

        var files = $"{repository.Home}/blob/main/";
        if (link.StartsWith(files, StringComparison.Ordinal))
        {
            var path = link[files.Length..].Split('#')[0];
            return File.Exists(Path.Join(repository.Root, path))
                ? null
                : $"leads to {path}, which the repository does not have.";
        }

        const string packages = "https://www.nuget.org/packages/";
        return link.StartsWith(packages, StringComparison.Ordinal)
            && repository.Projects.All(project => project.Name != link[packages.Length..])
            ? "leads to a package that is none of this repository."
            : null;
    }

    // The first chunk of a PNG file is its header: 8 bytes of signature, length, "IHDR", width, height.
    private static bool IsIcon(ReadOnlySpan<byte> png) =>
        png.Length > 24
        && png[1..4].SequenceEqual("PNG"u8)
        && png[12..16].SequenceEqual("IHDR"u8)
        && BinaryPrimitives.ReadInt32BigEndian(png[16..]) == IconSize
        && BinaryPrimitives.ReadInt32BigEndian(png[20..]) == IconSize;

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();
}
