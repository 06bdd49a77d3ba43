using System.Globalization;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// The descriptors that the parent has passed to this process (systemd's socket activation, <c>sd_listen_fds(3)</c>):
/// <c>LISTEN_FDS</c> descriptors from number 3 on, if <c>LISTEN_PID</c> is this process.
/// </summary>
internal sealed class ActivatedSockets
{
    private const int First = 3;

    // More than any program passes, and few enough to look at each.
    private const int Most = 1 << 16;

    // How many are described in a message: enough to see the mistake.
    private const int Described = 8;

    private readonly int _first;
    private readonly int _count;

    private ActivatedSockets(int first, int count)
    {
        _first = first;
        _count = count;
    }

    public static ActivatedSockets OfThisProcess() => Read(Environment.GetEnvironmentVariable, Environment.ProcessId);

    /// <summary>Reads which descriptors have been passed to a process.</summary>
    /// <param name="environment">Gives the value of an environment variable.</param>
    /// <param name="processId">This process.</param>
    /// <param name="first">The first descriptor. Only tests take another number than the convention's.</param>
    public static ActivatedSockets Read(Func<string, string?> environment, int processId, int first = First)
    {
        // A child process inherits the variables, but they are not meant for it.
        var isMeant = TryParse(environment("LISTEN_PID"), out var process) && process == processId;
        var count = isMeant && TryParse(environment("LISTEN_FDS"), out var passed) ? Math.Min(passed, Most) : 0;
        return new ActivatedSockets(first, count);
    }

    /// <summary>Takes the descriptor that is bound to one of an endpoint's paths.</summary>
    /// <returns><see langword="null"/> if there is none.</returns>
    /// <exception cref="EndPointInUseException">Another listener of this process has the descriptor.</exception>
    /// <exception cref="IOException">There is a descriptor, but a listener cannot use it.</exception>
    public ActivatedSocket? Adopt(SharedMemoryEndPoint endPoint, IReadOnlyList<string> paths)
    {
        foreach (var (number, bound) in Bound())
        {
            var full = Path.GetFullPath(bound);
            if (paths.Any(path => string.Equals(Path.GetFullPath(path), full, StringComparison.Ordinal)))
            {
                return Adopt(endPoint, number, bound);
            }
        }

        return null;
    }

    /// <summary>Describes the descriptors that were passed, for a message.</summary>
    /// <returns><see langword="null"/> if none was passed.</returns>
    public string? Describe()
    {
        if (_count == 0)
        {
            return null;
        }

        var bound = Bound().Take(Described)
            .Select(b => string.Create(CultureInfo.InvariantCulture, $"descriptor {b.Number}: '{b.Path}'"))
            .ToArray();
        var passed = string.Create(
            CultureInfo.InvariantCulture,
            $"Of the {_count} descriptors that were passed to this process (LISTEN_FDS) none is bound to ");
        return passed + (bound.Length == 0 ? "a path." : $"exactly this path ({string.Join(", ", bound)}).");
    }

    private static ActivatedSocket Adopt(SharedMemoryEndPoint endPoint, int number, string path)
    {
        using var passed = new SafeFileDescriptor(number, isOwner: false);
        if (Libc.GetSocketOption(passed, Libc.SO_TYPE) != Libc.SOCK_STREAM)
        {
            throw Unfit("is no stream socket. The socket unit needs ListenStream=.");
        }

        if (Libc.GetSocketOption(passed, Libc.SO_ACCEPTCONN) != 1)
        {
            throw Unfit("does not listen. The socket unit must not say Accept=yes.");
        }

        if (!ActivatedSocket.TryTake(number))
        {
            throw new EndPointInUseException(
                $"The endpoint '{endPoint}' is in use by another listener of this process, on descriptor {number} "
                + "(LISTEN_FDS). Close that listener, or listen on another name.");
        }

        try
        {
            return new ActivatedSocket(Duplicate(passed, number), path, number);
        }
        catch
        {
            ActivatedSocket.GiveBack(number);
            throw;
        }

        IOException Unfit(string why) => new(
            $"The endpoint '{endPoint}' cannot be listened on: descriptor {number}, which was passed to this process "
            + $"(LISTEN_FDS), is bound to '{path}' but {why}");
    }

    private static SafeFileDescriptor Duplicate(SafeFileDescriptor passed, int number)
    {
        // With a higher number: a duplicate in a gap before it would be found first, and taken for another passed
        // descriptor.
        var socket = new SafeFileDescriptor(Libc.Control(passed, Libc.F_DUPFD_CLOEXEC, number + 1));
        if (socket.IsInvalid)
        {
            throw LinuxError.Create("A passed socket cannot be duplicated", "fcntl(F_DUPFD_CLOEXEC)", Libc.LastError);
        }

        // Also on the passed descriptor: a child process has no use for it. Both descriptors share the non-blocking
        // flag. That is no harm to the parent, which waits for clients but does not accept them.
        var flags = Libc.Control(socket, Libc.F_GETFL, 0);
        if (flags < 0
            || Libc.Control(socket, Libc.F_SETFL, flags | Libc.O_NONBLOCK) < 0
            || Libc.Control(passed, Libc.F_SETFD, Libc.FD_CLOEXEC) < 0)
        {
            var failure = LinuxError.Create("A passed socket cannot be set up", "fcntl", Libc.LastError);
            socket.Dispose();
            throw failure;
        }

        return socket;
    }

    private IEnumerable<(int Number, string Path)> Bound()
    {
        for (var number = _first; number < _first + _count; number++)
        {
            if (BoundPath(number) is { } path)
            {
                yield return (number, path);
            }
        }
    }

    private static string? BoundPath(int number)
    {
        using var descriptor = new SafeFileDescriptor(number, isOwner: false);
        Span<byte> address = stackalloc byte[UnixSocketAddress.Size];
        var length = Libc.GetSocketName(descriptor, address);
        return length < 0 ? null : UnixSocketAddress.Read(address[..length]);
    }

    private static bool TryParse(string? text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
