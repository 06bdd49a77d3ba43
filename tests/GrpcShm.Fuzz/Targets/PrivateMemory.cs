using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Fuzz.Targets;

/// <summary>Memory of this process only, instead of shared memory.</summary>
internal sealed unsafe class PrivateMemory : MappedMemory
{
    public PrivateMemory(long length)
        : base((nint)NativeMemory.AllocZeroed((nuint)length), length)
    {
    }

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
