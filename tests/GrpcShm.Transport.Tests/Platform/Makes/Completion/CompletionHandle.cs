using Microsoft.Win32.SafeHandles;

namespace GrpcShm.Transport.Tests.Platform.Makes.Completion;

/// <summary>A number in the <see cref="HandleTable"/>.</summary>
internal sealed class CompletionHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public CompletionHandle(long number)
        : base(ownsHandle: true) => SetHandle((nint)number);

    public long Number => handle;

    protected override bool ReleaseHandle()
    {
        HandleTable.Close(handle);
        return true;
    }
}
