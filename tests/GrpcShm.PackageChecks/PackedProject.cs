using System.Xml.Linq;

namespace GrpcShm.PackageChecks;

/// <summary>A project that is packed.</summary>
internal sealed class PackedProject
{
    public PackedProject(string path)
    {
        Name = Path.GetFileNameWithoutExtension(path);
        Folder = Path.GetDirectoryName(path)!;
        Siblings = [.. XDocument.Load(path).Descendants("ProjectReference")
            .Select(static reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value))
            .Order(StringComparer.Ordinal)];
    }

    public string Name { get; }

    public string Folder { get; }

    /// <summary>The packages of this repository that this one stands on.</summary>
    public IReadOnlyList<string> Siblings { get; }

    /// <summary>Whether the package holds an assembly.</summary>
    public bool IsLibrary => Directory.GetFiles(Folder, "PublicAPI.*.txt").Length > 0;

    /// <summary>The types of the public surface that are written by hand.</summary>
    public IEnumerable<string> DeclaredTypes() =>
        from file in Directory.GetFiles(Folder, "PublicAPI.*.txt")
        from line in File.ReadLines(file)
        where line.Length > 0 && line.All(static letter => char.IsLetterOrDigit(letter) || letter is '.' or '_')
        select line;
}
