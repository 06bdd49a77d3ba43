using System.Xml.Linq;

namespace GrpcShm.PackageChecks;

/// <summary>The packages that the repository makes, and the values that all of them share.</summary>
internal sealed class Repository
{
    private static readonly string[] Folders = ["src", "templates"];

    public Repository(string root)
    {
        Root = Path.GetFullPath(root);
        var properties = XDocument.Load(Path.Join(Root, "Directory.Build.props"));
        Home = properties.Descendants("RepositoryUrl").Single().Value;
        Version = properties.Descendants("Version").Single().Value;
        Projects = [.. Folders
            .Select(folder => Path.Join(Root, folder))
            .Where(Directory.Exists)
            .SelectMany(static folder => Directory.GetFiles(folder, "GrpcShm.*.csproj", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal)
            .Select(static path => new PackedProject(path))];
    }

    public string Root { get; }

    /// <summary>The address of the project. All addresses of files in packages begin with it.</summary>
    public string Home { get; }

    public string Version { get; }

    public IReadOnlyList<PackedProject> Projects { get; }
}
