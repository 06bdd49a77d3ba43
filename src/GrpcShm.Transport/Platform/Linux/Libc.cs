using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>The system calls that this transport makes, with the constants of 64-bit Linux (x64 and arm64 alike).</summary>
internal static unsafe partial class Libc
{
    public const int AF_UNIX = 1;
    public const int SOCK_STREAM = 1;
    public const int SOCK_NONBLOCK = 0x800;
    public const int SOCK_CLOEXEC = 0x80000;
    public const int SOL_SOCKET = 1;
    public const int SO_PEERCRED = 17;
    public const int SCM_RIGHTS = 1;
    public const int MSG_CTRUNC = 0x8;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_NOSIGNAL = 0x4000;
    public const int MSG_CMSG_CLOEXEC = 0x40000000;
    public const int SHUT_RDWR = 2;

    public const int F_GETFL = 3;
    public const int F_ADD_SEALS = 1033;
    public const int F_GET_SEALS = 1034;
    public const int F_SEAL_SEAL = 1;
    public const int F_SEAL_SHRINK = 2;
    public const int F_SEAL_GROW = 4;
    public const int O_RDWR = 2;
    public const int O_CREAT = 0x40;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int LOCK_EX = 2;
    public const int LOCK_NB = 4;
    public const int LOCK_UN = 8;
    public const int SEEK_END = 2;

    // The one open flag here whose value differs between the architectures.
    public static readonly int O_NOFOLLOW =
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    public const uint MFD_CLOEXEC = 1;
    public const uint MFD_ALLOW_SEALING = 2;
    public const uint MFD_NOEXEC_SEAL = 8;
    public const int PROT_READ = 1;
    public const int PROT_WRITE = 2;
    public const int MAP_SHARED = 1;

    public const int EFD_NONBLOCK = 0x800;
    public const int EFD_CLOEXEC = 0x80000;

    public const int EPOLL_CLOEXEC = 0x80000;
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const uint EPOLLIN = 0x1;
    public const uint EPOLLRDHUP = 0x2000;
    public const uint EPOLLET = 0x80000000;

    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EEXIST = 17;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int EINVAL = 22;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int EPIPE = 32;
    public const int ENOBUFS = 105;
    public const int ETOOMANYREFS = 109;
    public const int ECONNREFUSED = 111;
    public const int ECONNABORTED = 103;
    public const int ECONNRESET = 104;

    public const int RLIMIT_FSIZE = 1;

    public const int AT_FDCWD = -100;
    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    public const int AT_EMPTY_PATH = 0x1000;
    public const uint STATX_TYPE_MODE_UID_INO = 0x1 | 0x2 | 0x8 | 0x100;
    public const int S_IFMT = 0xF000;
    public const int S_IFDIR = 0x4000;
    public const int S_IFSOCK = 0xC000;

    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "socket", SetLastError = true)]
    private static partial int SocketRaw(int domain, int type, int protocol);

    [LibraryImport(Library, EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(SafeFileDescriptor socket, ReadOnlySpan<byte> address, uint length);

    [LibraryImport(Library, EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(SafeFileDescriptor socket, ReadOnlySpan<byte> address, uint length);

    [LibraryImport(Library, EntryPoint = "listen", SetLastError = true)]
    public static partial int Listen(SafeFileDescriptor socket, int backlog);

    [LibraryImport(Library, EntryPoint = "accept4", SetLastError = true)]
    private static partial int Accept4Raw(SafeFileDescriptor socket, void* address, void* length, int flags);

    [LibraryImport(Library, EntryPoint = "shutdown", SetLastError = true)]
    public static partial int Shutdown(SafeFileDescriptor socket, int how);

    [LibraryImport(Library, EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int GetSocketOption(
        SafeFileDescriptor socket, int level, int option, void* value, uint* length);

    [LibraryImport(Library, EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(SafeFileDescriptor socket, MessageHeader* message, int flags);

    [LibraryImport(Library, EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceiveMessage(SafeFileDescriptor socket, MessageHeader* message, int flags);

    [LibraryImport(Library, EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemfdCreateRaw(string name, uint flags);

    [LibraryImport(Library, EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(SafeFileDescriptor file, long length);

    [LibraryImport(Library, EntryPoint = "posix_fallocate")]
    public static partial int Allocate(SafeFileDescriptor file, long offset, long length);

    [LibraryImport(Library, EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileDescriptor file, long offset, int whence);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(SafeFileDescriptor file, int command, int argument);

    [LibraryImport(Library, EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint length, int protection, int flags, SafeFileDescriptor file, long offset);

    [LibraryImport(Library, EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint length);

    [LibraryImport(Library, EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventRaw(uint initial, int flags);

    [LibraryImport(Library, EntryPoint = "pread", SetLastError = true)]
    public static partial nint Read(SafeFileDescriptor file, void* buffer, nuint count, long offset);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileDescriptor file, void* buffer, nuint count);

    [LibraryImport(Library, EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int EpollCreateRaw(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(SafeFileDescriptor epoll, int operation, SafeFileDescriptor file, void* change);

    // By number, not by handle: the reactor owns it, and closes it only when nobody waits on it.
    [LibraryImport(Library, EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, void* events, int count, int timeoutMilliseconds);

    [LibraryImport(Library, EntryPoint = "nanosleep")]
    public static partial int Sleep(void* time, void* rest);

    [LibraryImport(Library, EntryPoint = "gettid")]
    public static partial int CurrentThreadId();

    [LibraryImport(Library, EntryPoint = "clock_gettime")]
    private static partial int GetClockRaw(int clock, TimeSpecification* time);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenRaw(string path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileDescriptor file, int operation);

    [LibraryImport(Library, EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport(Library, EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeMode(string path, uint mode);

    [LibraryImport(Library, EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectory(string path, uint mode);

    [LibraryImport(Library, EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetLimitRaw(int resource, ResourceLimit* limit);

    [LibraryImport(Library, EntryPoint = "geteuid")]
    public static partial uint EffectiveUserId();

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatxRaw(int directory, string path, int flags, uint mask, StatxBuffer* buffer);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatxRaw(
        SafeFileDescriptor file, string path, int flags, uint mask, StatxBuffer* buffer);

    [LibraryImport(Library, EntryPoint = "readlink", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint ReadLinkRaw(string path, Span<byte> buffer, nuint size);

    /// <summary>Reads where a symbolic link leads, or as much of it as there is room for.</summary>
    /// <returns>How many bytes that is; less than 0 if there is no such link.</returns>
    public static int ReadLink(string path, Span<byte> target) => (int)ReadLinkRaw(path, target, (nuint)target.Length);

    public static SafeFileDescriptor Socket() =>
        Owned(SocketRaw(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

    public static SafeFileDescriptor Accept(SafeFileDescriptor listener) =>
        Owned(Accept4Raw(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC));

    public static SafeFileDescriptor MemfdCreate(string name, uint flags) => Owned(MemfdCreateRaw(name, flags));

    public static SafeFileDescriptor EventCreate() => Owned(EventRaw(0, EFD_NONBLOCK | EFD_CLOEXEC));

    public static SafeFileDescriptor EpollCreate() => Owned(EpollCreateRaw(EPOLL_CLOEXEC));

    public static SafeFileDescriptor Open(string path, int flags, uint mode) => Owned(OpenRaw(path, flags, mode));

    /// <summary>The limit that is in force for a resource; <see cref="ulong.MaxValue"/> is none.</summary>
    public static ulong GetLimit(int resource)
    {
        ResourceLimit limit;
        return GetLimitRaw(resource, &limit) == 0 ? limit.Soft : ulong.MaxValue;
    }

    /// <summary>Nanoseconds of a clock; 0 if there is no such clock.</summary>
    public static long GetClock(int clock)
    {
        TimeSpecification time;
        return GetClockRaw(clock, &time) == 0 ? (time.Seconds * 1_000_000_000) + time.Nanoseconds : 0;
    }

    public static int Statx(string path, int flags, out StatxBuffer result)
    {
        fixed (StatxBuffer* buffer = &result)
        {
            return StatxRaw(AT_FDCWD, path, flags, STATX_TYPE_MODE_UID_INO, buffer);
        }
    }

    public static int Statx(SafeFileDescriptor file, out StatxBuffer result)
    {
        fixed (StatxBuffer* buffer = &result)
        {
            return StatxRaw(file, string.Empty, AT_EMPTY_PATH, STATX_TYPE_MODE_UID_INO, buffer);
        }
    }

    /// <summary>The calling thread's last error.</summary>
    public static int LastError => Marshal.GetLastPInvokeError();

    public static string Describe(int error) => Marshal.GetPInvokeErrorMessage(error);

    private static SafeFileDescriptor Owned(int descriptor) => new(descriptor);

    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpecification
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct PeerCredentials
    {
        public int ProcessId;
        public uint UserId;
        public uint GroupId;
    }

    /// <summary>The head of <c>struct statx</c>, which unlike <c>struct stat</c> is the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct StatxBuffer
    {
        [FieldOffset(20)]
        public uint UserId;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;

        public readonly bool IsSameFileAs(in StatxBuffer other) =>
            Inode == other.Inode && DeviceMajor == other.DeviceMajor && DeviceMinor == other.DeviceMinor;
    }
}
