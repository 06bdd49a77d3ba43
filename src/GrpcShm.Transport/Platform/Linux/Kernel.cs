using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// Makes system calls by their number if the older of the supported C libraries have no function for them:
/// <c>gettid</c> came with glibc 2.30, <c>statx</c> with glibc 2.28 and musl 1.2.5, and a <c>stat</c> that programs can
/// link to with glibc 2.33.
/// </summary>
/// <remarks>Numbers and layouts are the kernel's promise and never change; they differ between x64 and arm64.</remarks>
internal static unsafe partial class Kernel
{
    private const int StatusBytes = 144;

    private static readonly bool IsArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly nint GetThreadId = IsArm64 ? 178 : 186;
    private static readonly nint GetStatus = IsArm64 ? 79 : 262;
    private static readonly int ModeOffset = IsArm64 ? 16 : 24;
    private static readonly int UserOffset = IsArm64 ? 24 : 28;

    /// <summary>The calling thread's number.</summary>
    public static int CurrentThreadId() => (int)Call(GetThreadId);

    /// <summary>Reads the status of the file at a path.</summary>
    /// <returns>0, or the number of the error.</returns>
    public static int Stat(string path, bool follow, out FileStatus status)
    {
        var buffer = stackalloc byte[StatusBytes];
        var failed = Call(GetStatus, Libc.AT_FDCWD, path, buffer, follow ? 0 : Libc.AT_SYMLINK_NOFOLLOW) != 0;
        return Take(failed, buffer, out status);
    }

    /// <summary>Looks at an open file.</summary>
    /// <returns>0, or the number of the error.</returns>
    public static int Stat(SafeFileDescriptor file, out FileStatus status)
    {
        var buffer = stackalloc byte[StatusBytes];
        return Take(Call(GetStatus, file, string.Empty, buffer, Libc.AT_EMPTY_PATH) != 0, buffer, out status);
    }

    private static int Take(bool failed, byte* buffer, out FileStatus status)
    {
        status = failed
            ? default
            : new FileStatus(
                *(uint*)(buffer + ModeOffset),
                *(uint*)(buffer + UserOffset),
                *(ulong*)buffer,
                *(ulong*)(buffer + sizeof(ulong)));
        return failed ? Libc.LastError : 0;
    }

    [LibraryImport(Libc.Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number);

    [LibraryImport(
        Libc.Library, EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Call(nint number, nint directory, string path, void* status, nint flags);

    [LibraryImport(
        Libc.Library, EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Call(nint number, SafeFileDescriptor file, string path, void* status, nint flags);
}
