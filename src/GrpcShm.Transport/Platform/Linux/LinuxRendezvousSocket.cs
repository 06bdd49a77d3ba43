using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

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
    private bool _disposed;

    private LinuxRendezvousSocket(SafeFileDescriptor @lock, SafeFileDescriptor socket, string path)
    {
        _lock = @lock;
        _socket = socket;
        _path = path;
    }

    public override SafeHandle Handle => _socket;

    public static LinuxRendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings)
    {
        var path = ChoosePath(endPoint, settings);
        var @lock = TakeLock(endPoint, path + ".lock", settings.SocketMode);
        SafeFileDescriptor? socket = null;
        try
        {
            socket = Libc.Socket();
            if (socket.IsInvalid)
            {
                throw LinuxError.Create("A socket cannot be made", Libc.LastError);
            }

            // What lies there is a dead server's: a live one would hold the lock.
            RemoveSocket(path);
            BindAndListen(socket, path, settings.SocketMode);
            return new LinuxRendezvousSocket(@lock, socket, path);
        }
        catch
        {
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

    public override void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        // In this order: while the lock is held nobody else can have bound the path.
        _disposed = true;
        _ = Libc.Unlink(_path);
        _socket.Dispose();

        // Closing alone would leave the lock to a child process that is between fork and exec right now.
        _ = Libc.Lock(_lock, Libc.LOCK_UN);
        _lock.Dispose();
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

    private static SafeFileDescriptor TakeLock(SharedMemoryEndPoint endPoint, string path, UnixFileMode mode)
    {
        var file = Libc.Open(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_CLOEXEC | Libc.O_NOFOLLOW, (uint)mode);
        if (file.IsInvalid)
        {
            throw LinuxError.Create($"The lock file '{path}' cannot be opened", Libc.LastError);
        }

        int error;
        do
        {
            error = Libc.Lock(file, Libc.LOCK_EX | Libc.LOCK_NB) == 0 ? 0 : Libc.LastError;
        }
        while (error == Libc.EINTR);

        if (error == 0)
        {
            WriteOwner(file);
            return file;
        }

        var owner = ReadOwner(file);
        file.Dispose();
        throw error == Libc.EAGAIN
            ? new EndPointInUseException(
                $"The endpoint '{endPoint}' is in use by {owner} (lock file '{path}'). Stop it, or listen on another name.")
            : LinuxError.Create($"The lock file '{path}' cannot be locked", error);
    }

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

    // By the descriptor that is open already: .NET locks each file that it opens itself, and fails on a locked one.
    private static string ReadOwner(SafeFileDescriptor file)
    {
        try
        {
            Span<byte> text = stackalloc byte[16];
            using var handle = new SafeFileHandle(file.Number, ownsHandle: false);
            text = text[..RandomAccess.Read(handle, text, fileOffset: 0)].TrimEnd((byte)'\n');
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var process)
                ? $"process {process}"
                : "another process";
        }
        catch (IOException)
        {
            return "another process";
        }
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
