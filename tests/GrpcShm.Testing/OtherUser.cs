using System.Runtime.InteropServices;

namespace GrpcShm.Testing;

/// <summary>
/// Acts as another user, if the tests run as root. The kernel keeps the identity per thread, and the raw system call,
/// unlike the C library's, changes that of the calling thread only.
/// </summary>
internal static partial class OtherUser
{
    public const uint Id = 65534;

    public static bool IsAvailable => Environment.IsPrivilegedProcess;

    public static Task<T> RunAsync<T>(Func<T> action) => RunAsync(Id, action);

    public static async Task<T> RunAsync<T>(uint user, Func<T> action)
    {
        var result = default(T)!;
        await TimeLimit.OnThreads(() =>
        {
            Become(user);
            try
            {
                result = action();
            }
            finally
            {
                Become(0);
            }
        });
        return result;
    }

    public static void Own(string path, uint user = Id)
    {
        if (Chown(path, user, user) != 0)
        {
            throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
        }
    }

    private static void Become(uint user)
    {
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 147 : 117;
        if (SystemCall(number, uint.MaxValue, user, uint.MaxValue) != 0)
        {
            throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nuint real, nuint effective, nuint saved);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);
}
