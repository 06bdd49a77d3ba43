using System.IO.Compression;
using System.Xml.Linq;

namespace GrpcShm.PackageChecks;

/// <summary>The files of a package, those of its symbols, and its description.</summary>
internal sealed class Package
{
    private readonly Dictionary<string, byte[]> _files;
    private readonly Dictionary<string, byte[]> _symbols;

    private Package(PackedProject project, Dictionary<string, byte[]> files, Dictionary<string, byte[]> symbols)
    {
        Project = project;
        _files = files;
        _symbols = symbols;
        Description = XDocument.Load(new MemoryStream(files[$"{project.Name}.nuspec"])).Root!.Elements().Single();
    }

    public PackedProject Project { get; }

    public string Name => Project.Name;

    /// <summary>The <c>metadata</c> of the <c>.nuspec</c> file.</summary>
    public XElement Description { get; }

    public static Package Open(string folder, PackedProject project) => new(
        project,
        ReadFiles(folder, project, "nupkg"),
        project.IsLibrary ? ReadFiles(folder, project, "snupkg") : []);

    /// <summary>The package with another content of a file, or without the file.</summary>
    public Package With(string path, byte[]? content)
    {
        var files = new Dictionary<string, byte[]>(_files);
        files.Remove(path);
        if (content is not null)
        {
            files.Add(path, content);
        }

        return new Package(Project, files, _symbols);
    }

    public Package WithSymbols(byte[] content) =>
        new(Project, _files, new Dictionary<string, byte[]> { [SymbolsPath] = content });

    public byte[]? File(string path) => _files.GetValueOrDefault(path);

    public byte[] Assembly() => _files[$"lib/net10.0/{Name}.dll"];

    public byte[] Documentation() => _files[$"lib/net10.0/{Name}.xml"];

    public byte[] Symbols() => _symbols[SymbolsPath];

    /// <summary>An element of the description, or nothing.</summary>
    public XElement? Element(string name) => Description.Element(Description.Name.Namespace + name);

    /// <summary>What the package depends on, with the range of versions.</summary>
    public IEnumerable<(string Name, string Version)> Dependencies() =>
        from dependency in Description.Descendants(Description.Name.Namespace + "dependency")
        select (dependency.Attribute("id")!.Value, dependency.Attribute("version")!.Value);

    private string SymbolsPath => $"lib/net10.0/{Name}.pdb";

    private static Dictionary<string, byte[]> ReadFiles(string folder, PackedProject project, string kind)
    {
        // The name is followed by a version: GrpcShm.EventBus.1.0.0, and not GrpcShm.EventBus.Hub.1.0.0.
        var paths = Directory.GetFiles(folder, $"{project.Name}.*.{kind}")
            .Where(path => char.IsAsciiDigit(Path.GetFileName(path)[project.Name.Length + 1]))
            .ToList();
        if (paths.Count != 1)
        {
            throw new InvalidOperationException(
                $"{folder} has {paths.Count} files {project.Name}.*.{kind}. "
                + "Pack into an empty folder: dotnet pack GrpcShm.sln -o FOLDER.");
        }

        using var archive = ZipFile.OpenRead(paths[0]);
        return archive.Entries.ToDictionary(static entry => Uri.UnescapeDataString(entry.FullName), static entry =>
        {
            using var content = entry.Open();
            using var copy = new MemoryStream();
            content.CopyTo(copy);
            return copy.ToArray();
        });
    }
}
