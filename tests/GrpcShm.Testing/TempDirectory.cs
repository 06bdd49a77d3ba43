namespace GrpcShm.Testing;

/// <summary>
/// A directory of mode 0700 of a test's or a fixture's own, short enough for a socket's path, gone after it.
/// </summary>
public sealed class TempDirectory : IDisposable
{
    /// <summary>The directory's path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("grpcshm-test-").FullName;

    /// <summary>A place for a socket in it.</summary>
    public string Socket => File("test.sock");

    /// <summary>The names of what is in it.</summary>
    public IEnumerable<string> Files =>
        new DirectoryInfo(Path).EnumerateFileSystemInfos().Select(static file => file.Name);

    /// <summary>The path of a file in it.</summary>
    public string File(string name) => System.IO.Path.Join(Path, name);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
