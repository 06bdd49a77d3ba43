using System.Diagnostics;
using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform.Linux;

internal sealed unsafe class EpollPoller : Poller
{
    private const int MaxEvents = 64;

    // struct epoll_event is packed on x64, to be compatible with 32-bit programs, and naturally aligned elsewhere.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventSize = DataOffset + sizeof(ulong);

    private readonly SafeFileDescriptor _epoll;
    private readonly LinuxDoorbell _wake;
    private readonly byte* _events;

    public EpollPoller()
    {
        _epoll = Libc.EpollCreate();
        if (_epoll.IsInvalid)
        {
            throw LinuxError.Create("A poller cannot be made", "epoll_create1", Libc.LastError);
        }

        var wake = Libc.EventCreate();
        if (wake.IsInvalid)
        {
            var error = Libc.LastError;
            _epoll.Dispose();
            throw LinuxError.Create("A poller cannot be made", "eventfd2", error);
        }

        _wake = new LinuxDoorbell(wake);
        try
        {
            Add(wake, WakeToken);
        }
        catch
        {
            _wake.Dispose();
            _epoll.Dispose();
            throw;
        }

        _events = (byte*)NativeMemory.AllocZeroed(MaxEvents, (nuint)EventSize);
    }

    public override void Add(IPollSource source, ulong token)
    {
        var change = stackalloc byte[16];
        *(uint*)change = Libc.EPOLLIN | Libc.EPOLLRDHUP | Libc.EPOLLET;
        *(ulong*)(change + DataOffset) = token;
        if (Libc.EpollControl(_epoll, Libc.EPOLL_CTL_ADD, (SafeFileDescriptor)source, change) != 0)
        {
            throw LinuxError.Create("A descriptor cannot be watched", "epoll_ctl", Libc.LastError);
        }
    }

    public override void Remove(IPollSource source)
    {
        // Kernels before 2.6.9 wanted an event even here.
        var change = stackalloc byte[16];
        var result = Libc.EpollControl(_epoll, Libc.EPOLL_CTL_DEL, (SafeFileDescriptor)source, change);
        Debug.Assert(result == 0, "Removed what was never added.");
    }

    public override int Wait(Span<PollEvent> events, int milliseconds)
    {
        var count = Libc.EpollWait(_epoll.Number, _events, Math.Min(MaxEvents, events.Length), milliseconds);
        if (count < 0)
        {
            return Libc.LastError == Libc.EINTR
                ? 0
                : throw LinuxError.Create("Waiting for events failed", "epoll_wait", Libc.LastError);
        }

        for (var i = 0; i < count; i++)
        {
            events[i] = new PollEvent(*(ulong*)(_events + (i * EventSize) + DataOffset));
        }

        return count;
    }

    public override void Wake() => _wake.Ring();

    public override void Pause()
    {
        // 20 µs, to which the kernel adds its timer slack of 50. A signal may end the sleep earlier, which does no
        // harm.
        var time = stackalloc long[2];
        time[0] = 0;
        time[1] = 20_000;
        _ = Libc.Sleep(time, null);
    }

    public override void Dispose()
    {
        _epoll.Dispose();
        _wake.Dispose();
        NativeMemory.Free(_events);
    }
}
