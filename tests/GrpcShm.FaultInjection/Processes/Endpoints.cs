using GrpcShm.TestHost.Calling;
using GrpcShm.Transport;

namespace GrpcShm.FaultInjection.Processes;

/// <summary>The names of a run, in a directory of its own.</summary>
internal sealed class Endpoints : IDisposable
{
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("grpcshm-");

    /// <summary>The name of the server that survives all deaths.</summary>
    public EndpointAddress Steady { get; } = new(EndpointKind.SharedMemory, "steady");

    /// <summary>The name of the servers that die, one after the other.</summary>
    public EndpointAddress Mortal { get; } = new(EndpointKind.SharedMemory, "mortal");

    /// <summary>The endpoint of the steady server's control service.</summary>
    public EndpointAddress Control => new(EndpointKind.UnixSocket, Path.Combine(_directory.FullName, "steady.control"));

    public string Directory => _directory.FullName;

    /// <summary>Arguments of a process that takes part.</summary>
    public IEnumerable<string> Arguments => ["--runtime-directory", Directory];

    public ClientSetup Setup(SharedMemoryMode mode) => new() { RuntimeDirectory = Directory, Mode = mode };

    /// <summary>The files that should not be there: all files except the sockets and locks of the two names.</summary>
    public IEnumerable<FileInfo> Strangers() => _directory
        .EnumerateFiles("*", SearchOption.AllDirectories)
        .Where(file => file.FullName != Control.Value
            && !(Path.GetFileName(file.Name).StartsWith("steady.", StringComparison.Ordinal)
                || Path.GetFileName(file.Name).StartsWith("mortal.", StringComparison.Ordinal)))
        .Concat(new DirectoryInfo("/dev/shm").EnumerateFiles("*grpcshm*"));

    public void Dispose() => _directory.Delete(recursive: true);
}
