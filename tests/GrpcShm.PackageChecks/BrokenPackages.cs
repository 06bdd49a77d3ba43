using System.Text;

namespace GrpcShm.PackageChecks;

/// <summary>Breaks a package that has no fault, in several ways. Each time the checks have to find a fault.</summary>
internal static class BrokenPackages
{
    private static readonly string[] Required = ["README.md", "LICENSE", "icon.png", "bom.json"];

    private const string Type = "GrpcShm.Client.SharedMemoryChannel";

    public static IEnumerable<string> FindUnnoticed(Package package, Checks checks) =>
        from broken in Break(package)
        where !checks.Find(broken.Package).Any()
        select $"The checks find no fault in a package {broken.How}.";

    private static IEnumerable<(string How, Package Package)> Break(Package package)
    {
        var description = $"{package.Name}.nuspec";
        var documentation = $"lib/net10.0/{package.Name}.xml";
        var assembly = $"lib/net10.0/{package.Name}.dll";
        foreach (var file in Required)
        {
            yield return ($"without {file}", package.With(file, null));
        }

        (string How, string File, string From, string To)[] changes =
        [
            ("that admits another version of a sibling", description, "\"[0", "\"0"),
            ("of another commit", description, "commit=\"", "commit=\"0"),
            ("without the address of the changes", description, "CHANGELOG.md", ""),
            ("whose page has a relative link", "README.md", "https://github.com/grpcshm/grpcshm/blob/main/", ""),
            ("whose page has a link to a missing file", "README.md", "/CHANGELOG.md", "/MISSING.md"),
            ("with a list that lacks a dependency", "bom.json", "\"Grpc.Net.Client\"", "\"Grpc.Net.Other\""),
            ("that documents an internal type", documentation, $"\"T:{Type}\"", $"\"T:{Type}.Internal\""),
            ("that refers to an internal type", documentation, "cref=\"T:", "cref=\"T:GrpcShm.Internal."),
            ("that does not document a member", documentation, $"M:{Type}.ForAddress(System.String)\"", $"T:{Type}\""),
        ];
        foreach (var (how, file, from, to) in changes)
        {
            yield return (how, package.With(file, Replace(package.File(file)!, from, to)));
        }

        var home = Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget");
        byte[] leaking = [.. package.Assembly(), .. Encoding.UTF8.GetBytes(home)];
        yield return ("with a path of the machine", package.With(assembly, leaking));
        var otherPlace = Replace(package.Symbols(), "raw.githubusercontent.com", "raw.githubusercontent.net");
        yield return ("whose symbols lead to another place", package.WithSymbols(otherPlace));
        var otherRoot = Replace(package.Symbols(), "{\"/_/*\"", "{\"/x/*\"");
        yield return ("whose symbols name another root", package.WithSymbols(otherRoot));
    }

    // Latin-1 keeps every byte of a binary file. All that is replaced is ASCII.
    private static byte[] Replace(byte[] content, string from, string to)
    {
        var text = Encoding.Latin1.GetString(content);
        return text.Contains(from, StringComparison.Ordinal)
            ? Encoding.Latin1.GetBytes(text.Replace(from, to, StringComparison.Ordinal))
            : throw new InvalidOperationException($"The package has no '{from}' to replace. Change BrokenPackages.");
    }
}
