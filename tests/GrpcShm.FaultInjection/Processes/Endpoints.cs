using GrpcShm.TestHost.Calling;
using GrpcShm.Transport;

namespace GrpcShm.FaultInjection.Processes;

/// <summary>The names of a run, in a directory of its own.</summary>
internal sealed class Endpoints : IDisposable
{
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("grpcshm-");

    /// <summary>The server that outlives all.</summary>
    public EndpointAddress Steady { get; } = new(EndpointKind.SharedMemory, "steady");

    /// <summary>The servers that die, one after the other.</summary>
    public EndpointAddress Mortal { get; } = new(EndpointKind.SharedMemory, "mortal");

    /// <summary>By which the steady server is asked how it fares.</summary>
    public EndpointAddress Control => new(EndpointKind.UnixSocket, Path.Combine(_directory.FullName, "steady.control"));

    public string Directory => _directory.FullName;

    /// <summary>Arguments of a process that takes part.</summary>
    public IEnumerable<string> Arguments => ["--runtime-directory", Directory];

    public ClientSetup Setup(SharedMemoryMode mode) => new() { RuntimeDirectory = Directory, Mode = mode };

    /// <summary>What lies there that should not: anything but the two names' sockets and locks.</summary>
    public IEnumerable<FileInfo> Strangers() => _directory
        .EnumerateFiles("*", SearchOption.AllDirectories)
        .Where(file => file.FullName != Control.Value
            && !(Path.GetFileName(file.Name).StartsWith("steady.", StringComparison.Ordinal)
                || Path.GetFileName(file.Name).StartsWith("mortal.", StringComparison.Ordinal)))
        .Concat(new DirectoryInfo("/dev/shm").EnumerateFiles("*grpcshm*"));

    public void Dispose() => _directory.Delete(recursive: true);
}
