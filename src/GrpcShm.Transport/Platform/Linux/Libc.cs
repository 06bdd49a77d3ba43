using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>The system calls that this transport makes.</summary>
/// <remarks>
/// Every C library that .NET 10 supports (glibc 2.27, musl 1.2.3) has these functions. A missing function would show
/// only at its first call, on any thread. Later system calls are made by their number, see <see cref="Kernel"/>. A test
/// holds the list. The run-time finds the library under the name <c>libc</c>: with glibc as <c>libc.so.6</c>; musl
/// takes any name that begins with <c>libc.</c> for the library that is loaded already.
/// </remarks>
internal static unsafe partial class Libc
{
    public const string Library = "libc";

    // Large enough for any reasonable entry of the list of users.
    private const int UserEntrySize = 16 * 1024;

    // More than struct statfs has.
    private const int FileSystemStatusSize = 256;

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

    [LibraryImport(Library, EntryPoint = "getsockname", SetLastError = true)]
    private static partial int GetSocketNameRaw(SafeFileDescriptor socket, Span<byte> address, ref uint length);

    [LibraryImport(Library, EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(SafeFileDescriptor socket, MessageHeader* message, int flags);

    [LibraryImport(Library, EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceiveMessage(SafeFileDescriptor socket, MessageHeader* message, int flags);

    [LibraryImport(
        Library, EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
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
    public static partial nint Map(
        nint address, nuint length, int protection, int flags, SafeFileDescriptor file, long offset);

    [LibraryImport(Library, EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint length);

    [LibraryImport(Library, EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventRaw(uint initial, int flags);

    [LibraryImport(Library, EntryPoint = "pread", SetLastError = true)]
    public static partial nint Read(SafeFileDescriptor file, void* buffer, nuint count, long offset);

    [LibraryImport(Library, EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint WriteAt(SafeFileDescriptor file, void* buffer, nuint count, long offset);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileDescriptor file, void* buffer, nuint count);

    [LibraryImport(Library, EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int EpollCreateRaw(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(
        SafeFileDescriptor epoll, int operation, SafeFileDescriptor file, void* change);

    // By number, not by handle: the reactor owns the poller, and closes it only when no thread waits on it.
    [LibraryImport(Library, EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, void* events, int count, int timeoutMilliseconds);

    [LibraryImport(Library, EntryPoint = "nanosleep")]
    public static partial int Sleep(void* time, void* rest);

    [LibraryImport(Library, EntryPoint = "clock_gettime")]
    private static partial int GetClockRaw(int clock, TimeSpecification* time);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenRaw(string path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "fstatfs", SetLastError = true)]
    private static partial int GetFileSystemRaw(SafeFileDescriptor file, long* status);

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

    [LibraryImport(Library, EntryPoint = "getpwuid_r")]
    private static partial int GetUserRaw(uint user, UserEntry* entry, byte* buffer, nuint size, UserEntry** result);

    [LibraryImport(Library, EntryPoint = "readlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint ReadLinkRaw(string path, Span<byte> buffer, nuint size);

    /// <summary>Reads the target of a symbolic link, as far as there is room for it.</summary>
    /// <returns>How many bytes were read; less than 0 if the link cannot be read.</returns>
    public static int ReadLink(string path, Span<byte> target) => (int)ReadLinkRaw(path, target, (nuint)target.Length);

    public static SafeFileDescriptor Socket() =>
        Owned(SocketRaw(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

    public static SafeFileDescriptor DatagramSocket() =>
        Owned(SocketRaw(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

    public static SafeFileDescriptor Accept(SafeFileDescriptor listener) =>
        Owned(Accept4Raw(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC));

    public static SafeFileDescriptor MemfdCreate(string name, uint flags) => Owned(MemfdCreateRaw(name, flags));

    public static SafeFileDescriptor EventCreate() => Owned(EventRaw(0, EFD_NONBLOCK | EFD_CLOEXEC));

    public static SafeFileDescriptor EpollCreate() => Owned(EpollCreateRaw(EPOLL_CLOEXEC));

    public static SafeFileDescriptor Open(string path, int flags, uint mode) => Owned(OpenRaw(path, flags, mode));

    /// <summary>The limit that is in force for a resource; <see cref="ulong.MaxValue"/> if there is none.</summary>
    public static ulong GetLimit(int resource)
    {
        ResourceLimit limit;
        return GetLimitRaw(resource, &limit) == 0 ? limit.Soft : ulong.MaxValue;
    }

    /// <summary>The type of the file system that holds a file, as a number; nothing if it cannot be read.</summary>
    public static long? GetFileSystemType(SafeFileDescriptor file)
    {
        // The type is the first field of struct statfs, which has 120 bytes on x64 and arm64.
        var status = stackalloc long[FileSystemStatusSize / sizeof(long)];
        return GetFileSystemRaw(file, status) == 0 ? *status : null;
    }

    /// <summary>Nanoseconds of a clock; 0 if there is no such clock.</summary>
    public static long GetClock(int clock)
    {
        TimeSpecification time;
        return GetClockRaw(clock, &time) == 0 ? (time.Seconds * 1_000_000_000) + time.Nanoseconds : 0;
    }

    /// <summary>Reads the address that a socket is bound to.</summary>
    /// <returns>The length of the address; less than 0 if the descriptor is no socket.</returns>
    public static int GetSocketName(SafeFileDescriptor socket, Span<byte> address)
    {
        var length = (uint)address.Length;
        return GetSocketNameRaw(socket, address, ref length) == 0 ? (int)Math.Min(length, (uint)address.Length) : -1;
    }

    /// <summary>Reads an option whose value is a number.</summary>
    /// <returns>Less than 0 if there is no such option.</returns>
    public static int GetSocketOption(SafeFileDescriptor socket, int option)
    {
        int value;
        var length = (uint)sizeof(int);
        return GetSocketOption(socket, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
    }

    /// <summary>The home directory that the system's list of users gives.</summary>
    /// <returns><see langword="null"/> if the user is not in it, or it cannot be read.</returns>
    public static string? HomeDirectoryOf(uint user)
    {
        // A larger entry counts as none.
        var buffer = new byte[UserEntrySize];
        fixed (byte* bytes = buffer)
        {
            UserEntry entry;
            UserEntry* found = null;
            return GetUserRaw(user, &entry, bytes, UserEntrySize, &found) == 0 && found is not null
                ? Marshal.PtrToStringUTF8((nint)entry.HomeDirectory)
                : null;
        }
    }

    /// <summary>The name that the system's list of users gives.</summary>
    /// <param name="user">The user.</param>
    /// <param name="name"><see langword="null"/> if the user is not in the list.</param>
    /// <returns>Zero, or the number of the error.</returns>
    public static int UserNameOf(uint user, out string? name)
    {
        var buffer = new byte[UserEntrySize];
        fixed (byte* bytes = buffer)
        {
            UserEntry entry;
            UserEntry* found = null;
            int error;
            while ((error = GetUserRaw(user, &entry, bytes, UserEntrySize, &found)) == EINTR)
            {
            }

            name = error == 0 && found is not null ? Marshal.PtrToStringUTF8((nint)entry.Name) : null;
            return error;
        }
    }

    /// <summary>The calling thread's last error.</summary>
    public static int LastError => Marshal.GetLastPInvokeError();

    public static string Describe(int error) => Marshal.GetPInvokeErrorMessage(error);

    private static SafeFileDescriptor Owned(int descriptor) => new(descriptor);
}
