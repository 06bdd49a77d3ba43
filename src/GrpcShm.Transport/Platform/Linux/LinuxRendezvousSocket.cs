using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// A listening Unix socket beside a lock file. The lock decides who owns the name: the kernel drops it when its holder
/// dies, so a dead server's name is free at once and two that start at the same moment never both win.
/// </summary>
/// <remarks>
/// The lock file is never unlinked: whoever had it open would go on to lock a file that no one else can see. The
/// socket is unlinked only while the lock is held, so nobody can take away a successor's.
/// </remarks>
internal sealed class LinuxRendezvousSocket : RendezvousSocket
{
    private readonly SafeFileDescriptor _lock;
    private readonly SafeFileDescriptor _socket;
    private readonly string _path;

    // Good for nothing but to be given up for a client when there is no other descriptor.
    private SafeFileDescriptor _reserve;
    private bool _disposed;

    private LinuxRendezvousSocket(
        SafeFileDescriptor @lock, SafeFileDescriptor socket, SafeFileDescriptor reserve, string path)
    {
        _lock = @lock;
        _socket = socket;
        _reserve = reserve;
        _path = path;
    }

    public override SafeHandle Handle => _socket;

    public static LinuxRendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings)
    {
        var path = ChoosePath(endPoint, settings);
        var @lock = TakeLock(endPoint, path + ".lock");
        SafeFileDescriptor? socket = null;
        SafeFileDescriptor? reserve = null;
        try
        {
            socket = Libc.Socket();
            if (socket.IsInvalid)
            {
                throw LinuxError.Create("A socket cannot be made", Libc.LastError);
            }

            reserve = Libc.EventCreate();
            if (reserve.IsInvalid)
            {
                throw LinuxError.Create("A descriptor cannot be kept back", Libc.LastError);
            }

            // What lies there is a dead server's: a live one would hold the lock.
            RemoveSocket(path);
            BindAndListen(socket, path, settings.SocketMode);
            return new LinuxRendezvousSocket(@lock, socket, reserve, path);
        }
        catch
        {
            reserve?.Dispose();
            socket?.Dispose();
            @lock.Dispose();
            throw;
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
                    throw LinuxError.Create("A client cannot be accepted", error);
            }
        }
    }

    public override SharedMemoryPeer? Refuse(ReadOnlySpan<byte> message)
    {
        // Another thread may be quicker and take what is given up here. Then the client waits on.
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

        // In this order: while the lock is held nobody else can have bound the path.
        _disposed = true;
        _ = Libc.Unlink(_path);
        FaultPoint.Reach(FaultStep.NameUnlinked);
        _socket.Dispose();
        _reserve.Dispose();

        // Closing alone would leave the lock to a child process that is between fork and exec right now.
        _ = Libc.Lock(_lock, Libc.LOCK_UN);
        _lock.Dispose();
        FaultPoint.Reach(FaultStep.NameReleased);
    }

    private static string ChoosePath(SharedMemoryEndPoint endPoint, RendezvousSettings settings)
    {
        if (endPoint.IsPath)
        {
            return RendezvousPaths.Candidates(endPoint, null)[0];
        }

        var problems = new StringBuilder();
        foreach (var path in RendezvousPaths.Candidates(endPoint, settings.Directory))
        {
            var directory = Path.GetDirectoryName(path)!;
            if (RendezvousPaths.Prepare(directory, settings.DirectoryMode) is not { } problem)
            {
                return path;
            }

            problems.Append(CultureInfo.InvariantCulture, $" '{directory}': {problem}.");
        }

        throw new IOException(
            $"There is no directory for the endpoint '{endPoint}'.{problems} Repair one of them, or set RuntimeDirectory.");
    }

    private static SafeFileDescriptor TakeLock(SharedMemoryEndPoint endPoint, string path)
    {
        while (true)
        {
            var file = OpenLockFile(path);
            try
            {
                if (!TryLock(file))
                {
                    throw new EndPointInUseException(
                        $"The endpoint '{endPoint}' is in use by {ReadOwner(file)} (lock file '{path}'). Stop it, or "
                        + "listen on another name.");
                }

                // Who cleans up the temp path may have deleted the file between the opening and the locking. Then the
                // lock is on a file that nobody else will find: once more.
                if (IsStillAt(path, file))
                {
                    WriteOwner(file);
                    return file;
                }
            }
            catch
            {
                file.Dispose();
                throw;
            }

            file.Dispose();
        }
    }

    private static SafeFileDescriptor OpenLockFile(string path)
    {
        // For the owner alone, whoever may reach the socket: who can open it can lock it.
        const uint Mode = (uint)(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var file = Libc.Open(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_CLOEXEC | Libc.O_NOFOLLOW, Mode);
        return file.IsInvalid
            ? throw LinuxError.Create($"The lock file '{path}' cannot be opened", Libc.LastError)
            : file;
    }

    private static bool TryLock(SafeFileDescriptor file)
    {
        while (Libc.Lock(file, Libc.LOCK_EX | Libc.LOCK_NB) != 0)
        {
            switch (Libc.LastError)
            {
                case Libc.EINTR:
                    continue;
                case Libc.EAGAIN:
                    return false;
                case var error:
                    throw LinuxError.Create("The lock file cannot be locked", error);
            }
        }

        return true;
    }

    private static bool IsStillAt(string path, SafeFileDescriptor file) =>
        Libc.Statx(path, Libc.AT_SYMLINK_NOFOLLOW, out var there) == 0
        && Libc.Statx(file, out var here) == 0
        && there.IsSameFileAs(here);

    // Who owns the name is for people to read; the lock alone decides.
    private static unsafe void WriteOwner(SafeFileDescriptor file)
    {
        var text = Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        fixed (byte* bytes = text)
        {
            if (Libc.Truncate(file, 0) != 0 || Libc.Write(file, bytes, (nuint)text.Length) != text.Length)
            {
                throw LinuxError.Create("The lock file cannot be written", Libc.LastError);
            }
        }
    }

    // By the descriptor: File.ReadAllText would ask for a lock of its own, and not get it.
    private static unsafe string ReadOwner(SafeFileDescriptor file)
    {
        var bytes = stackalloc byte[16];
        var count = (int)Libc.Read(file, bytes, 16, 0);
        return count > 0
            && int.TryParse(
                Encoding.ASCII.GetString(bytes, count).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var process)
                ? $"process {process}"
                : "another process";
    }

    private static void RemoveSocket(string path)
    {
        if (Libc.Statx(path, Libc.AT_SYMLINK_NOFOLLOW, out var status) != 0)
        {
            return;
        }

        if ((status.Mode & Libc.S_IFMT) != Libc.S_IFSOCK)
        {
            throw new IOException($"'{path}' exists and is not a socket. Remove it, or listen on another name.");
        }

        if (Libc.Unlink(path) != 0)
        {
            throw LinuxError.Create($"The dead server's socket '{path}' cannot be removed", Libc.LastError);
        }
    }

    private static void BindAndListen(SafeFileDescriptor socket, string path, UnixFileMode mode)
    {
        var address = UnixSocketAddress.Write(path, stackalloc byte[110]);
        if (Libc.Bind(socket, address, (uint)address.Length) != 0)
        {
            throw LinuxError.Create($"The socket '{path}' cannot be bound", Libc.LastError);
        }

        // Nobody can connect before listen, so the mode is in force before the first client.
        if (Libc.ChangeMode(path, (uint)mode) != 0 || Libc.Listen(socket, 512) != 0)
        {
            var failure = LinuxError.Create($"The socket '{path}' cannot listen", Libc.LastError);
            _ = Libc.Unlink(path);
            throw failure;
        }
    }
}
