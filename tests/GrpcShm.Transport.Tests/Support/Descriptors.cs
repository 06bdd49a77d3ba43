using System.Globalization;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Support;

/// <summary>The descriptors of this process.</summary>
internal static partial class Descriptors
{
    public static int Count => Directory.GetFiles("/proc/self/fd").Length;

    /// <summary>All of them with what they refer to, for a message.</summary>
    public static string List() =>
        string.Join('\n', Directory.GetFiles("/proc/self/fd").Select(f => $"{f} -> {new FileInfo(f).LinkTarget}"));

    /// <summary>Duplicates the descriptor that is open on a path, as a fork does.</summary>
    public static SafeFileDescriptor Duplicate(string path)
    {
        var number = Directory.GetFiles("/proc/self/fd")
            .Where(f => new FileInfo(f).LinkTarget == path)
            .Select(f => int.Parse(Path.GetFileName(f), CultureInfo.InvariantCulture))
            .Single();
        return new SafeFileDescriptor(Dup(number));
    }

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static partial int Dup(int descriptor);
}
