using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// Owns a file descriptor. The descriptor stays open while a system call uses it: a number that was closed during the
/// call may already belong to another file.
/// </summary>
internal sealed partial class SafeFileDescriptor : SafeHandleMinusOneIsInvalid, IPollSource
{
    public SafeFileDescriptor(int descriptor, bool isOwner = true)
        : base(isOwner) => SetHandle(descriptor);

    /// <summary>The number, for messages and for calls whose caller holds the handle open by other means.</summary>
    public int Number => (int)handle;

    // The result is not looked at: on Linux the descriptor is gone even if close reports an error.
    protected override bool ReleaseHandle() => Close((int)handle) == 0;

    [LibraryImport(Libc.Library, EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
