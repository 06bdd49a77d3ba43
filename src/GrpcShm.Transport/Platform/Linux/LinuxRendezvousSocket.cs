using System.Globalization;
using System.Text;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// A listening Unix socket. Either this process has bound it, beside a lock file that decides which process owns the
/// name, or systemd has passed it, and then systemd owns the name.
/// </summary>
/// <remarks>
/// A socket that this process has bound is unlinked only while the lock is held, so that a successor's socket stays,
/// and only if it is still the socket at its path, so that another program's socket stays.
/// </remarks>
internal sealed class LinuxRendezvousSocket : RendezvousSocket
{
    private const int Backlog = 512;

    private readonly IDisposable _ownership;
    private readonly SafeFileDescriptor _socket;
    private readonly string _path;

    // The file at the path since the socket was bound; null if another process owns it.
    private readonly FileStatus? _file;

    // Its only use is to be given up for a client when no other descriptor is left.
    private SafeFileDescriptor _reserve;
    private bool _disposed;

    private LinuxRendezvousSocket(
        IDisposable ownership, SafeFileDescriptor socket, string path, FileStatus? file, RendezvousRemark? remark)
    {
        // Clients are identified by this call. If a sandbox forbids it, the first client would be too late to find out.
        _ = LinuxControlSocket.ReadPeer(socket);
        _ownership = ownership;
        _socket = socket;
        _path = path;
        _file = file;
        Remark = remark;
        _reserve = Libc.EventCreate();
        if (_reserve.IsInvalid)
        {
            throw LinuxError.Create("A descriptor cannot be reserved", "eventfd2", Libc.LastError);
        }
    }

    public override IPollSource Source => _socket;

    public override RendezvousRemark? Remark { get; }

    public static LinuxRendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings) =>
        Listen(endPoint, settings, ActivatedSockets.OfThisProcess());

    /// <inheritdoc cref="Listen(SharedMemoryEndPoint, RendezvousSettings)"/>
    public static LinuxRendezvousSocket Listen(
        SharedMemoryEndPoint endPoint, RendezvousSettings settings, ActivatedSockets activated)
    {
        var paths = RendezvousPaths.Candidates(endPoint, settings.Directory);
        if (activated.Adopt(endPoint, paths) is { } adopted)
        {
            return Adopt(adopted);
        }

        var path = ChoosePath(endPoint, settings, paths, out var remark);
        try
        {
            return Bind(endPoint, path, settings, remark);
        }
        catch (EndPointInUseException inUse) when (activated.Describe() is { } passed)
        {
            throw new EndPointInUseException($"{inUse.Message} {passed}", inUse);
        }
    }

    public override ControlSocket? Accept()
    {
        while (true)
        {
            var client = Libc.Accept(_socket);
            if (!client.IsInvalid)
            {
                return LinuxControlSocket.FromAccepted(client);
            }

            switch (Libc.LastError)
            {
                case Libc.EAGAIN:
                    return null;
                case Libc.EINTR:
                case Libc.ECONNABORTED:
                    continue;
                case var error:
                    throw LinuxError.Create("A client cannot be accepted", "accept4", error);
            }
        }
    }

    public override SharedMemoryPeer? Refuse(ReadOnlySpan<byte> message)
    {
        // Another thread may be quicker and take the descriptor that is given up here. Then the client waits on.
        _reserve.Dispose();
        try
        {
            using var client = Accept();
            client?.Send(message, []);
            return client?.Peer;
        }
        catch (IOException)
        {
            return null;
        }
        finally
        {
            _reserve = Libc.EventCreate();
        }
    }

    public override void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        // In this order: while the lock is held no other listener of this transport can have bound the path, but
        // another program can.
        _disposed = true;
        if (_file is { } ours && Kernel.Stat(_path, follow: false, out var there) == 0 && there.IsSameFileAs(ours))
        {
            _ = Libc.Unlink(_path);
        }

        FaultPoint.Reach(FaultStep.NameRemoved);
        _socket.Dispose();
        _reserve.Dispose();
        _ownership.Dispose();
        FaultPoint.Reach(FaultStep.NameReleased);
    }

    private static LinuxRendezvousSocket Adopt(ActivatedSocket adopted)
    {
        try
        {
            return new LinuxRendezvousSocket(
                adopted,
                adopted.Socket,
                adopted.Path,
                file: null,
                new RendezvousRemark(
                    $"Its socket '{adopted.Path}' was passed to this process (LISTEN_FDS, descriptor "
                    + $"{adopted.Number}), and stays when the process ends.",
                    IsWarning: false));
        }
        catch
        {
            adopted.Socket.Dispose();
            adopted.Dispose();
            throw;
        }
    }

    private static LinuxRendezvousSocket Bind(
        SharedMemoryEndPoint endPoint, string path, RendezvousSettings settings, RendezvousRemark? remark)
    {
        var @lock = LinuxNameLock.Take(endPoint, LinuxNameLock.PathFor(path), settings.LongestCleaningWait);
        SafeFileDescriptor? socket = null;
        try
        {
            socket = Libc.Socket();
            if (socket.IsInvalid)
            {
                throw LinuxError.Create("A socket cannot be made", "socket", Libc.LastError);
            }

            AbandonedSocket.Remove(endPoint, path);
            BindAndListen(socket, path, settings.LinuxModes.Socket, out var file);
            try
            {
                // Clients find no socket between the two calls above. So other names are cleaned up only now.
                if (!endPoint.IsPath)
                {
                    var problem = AbandonedNames.TryRemove(Path.GetDirectoryName(path)!);
                    remark ??= problem;
                }

                return new LinuxRendezvousSocket(@lock, socket, path, file, remark);
            }
            catch
            {
                _ = Libc.Unlink(path);
                throw;
            }
        }
        catch
        {
            socket?.Dispose();
            @lock.Dispose();
            throw;
        }
    }

    private static string ChoosePath(
        SharedMemoryEndPoint endPoint,
        RendezvousSettings settings,
        IReadOnlyList<string> paths,
        out RendezvousRemark? remark)
    {
        remark = null;
        if (endPoint.IsPath)
        {
            RendezvousPaths.CheckFolder(endPoint);
            return paths[0];
        }

        var problems = new StringBuilder();
        var isTaken = false;
        foreach (var path in paths)
        {
            var directory = Path.GetDirectoryName(path)!;
            if (RendezvousPaths.Prepare(directory, settings.LinuxModes.Directory) is not { } problem)
            {
                remark = isTaken
                    ? new RendezvousRemark(
                        $"Its socket is in '{directory}', since no better place can be used:{problems}",
                        IsWarning: true)
                    : null;
                return path;
            }

            isTaken |= RendezvousPaths.IsOthers(directory);
            problems.Append(CultureInfo.InvariantCulture, $" '{directory}': {problem}.");
        }

        if (settings.Directory is null && HomeDirectory.Find(Libc.EffectiveUserId(), out var why) is null)
        {
            problems.Append(CultureInfo.InvariantCulture, $" Nor is there a home directory for it: {why}.");
        }

        throw new IOException(
            $"There is no directory for the endpoint '{endPoint}'.{problems} Repair one of them, or set "
            + "RuntimeDirectory on both sides, or XDG_RUNTIME_DIR to a directory that is this user's alone.");
    }

    private static void BindAndListen(SafeFileDescriptor socket, string path, UnixFileMode mode, out FileStatus file)
    {
        var address = UnixSocketAddress.Write(path, stackalloc byte[UnixSocketAddress.Size]);
        if (Libc.Bind(socket, address, (uint)address.Length) != 0)
        {
            // Another program was quicker than this process, after its own predecessor's socket had been removed.
            throw Libc.LastError == Libc.EADDRINUSE
                ? new EndPointInUseException(
                    $"Another program has just bound the socket '{path}'. Stop it, or listen on another name.")
                : LinuxError.ForFile($"The socket '{path}' cannot be bound", "bind", Libc.LastError);
        }

        // Nobody can connect before listen, so the mode is in force before the first client.
        file = default;
        var failed = Libc.ChangeMode(path, (uint)mode) != 0 ? "chmod"
            : Libc.Listen(socket, Backlog) != 0 ? "listen"
            : Kernel.Stat(path, follow: false, out file) != 0 ? "newfstatat"
            : null;
        if (failed is not null)
        {
            var failure = LinuxError.ForFile($"The socket '{path}' cannot be set up", failed, Libc.LastError);
            _ = Libc.Unlink(path);
            throw failure;
        }
    }
}
