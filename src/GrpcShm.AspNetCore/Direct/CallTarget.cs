using GrpcShm.AspNetCore.Native;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// What a call is for: its path, looked at once for all the calls that refer to it by the same number.
/// </summary>
/// <param name="path">The path, as it came.</param>
/// <param name="application">The application that serves it.</param>
internal sealed class CallTarget(string path, DirectApplication application)
{
    // Replaced as a whole by whoever finds that the table has changed. Any of them is right.
    private volatile NativeTarget? _native;

    /// <summary>
    /// The path. The raw target is the same, since nothing in the path can be decoded and there is no query.
    /// </summary>
    public string Path => path;

    /// <summary>True if direct mode carries calls to this path.</summary>
    public bool IsCarried { get; } = GrpcRequestRules.IsPath(path);

    /// <summary>Says on which thread the handlers of these calls run.</summary>
    public RunProfile Profile { get; } = application.ProfileOf(path);

    /// <summary>Finds the method, if the call need not take the application's full pipeline. Any thread.</summary>
    public NativeMethod? FindNative()
    {
        if (application.Native?.Table is not { } table)
        {
            return null;
        }

        if (_native is not { } native || native.Table != table)
        {
            native = new NativeTarget(table, table.Find(path)?.Method);
            _native = native;
        }

        return native.Method;
    }

    private sealed record NativeTarget(NativeTable Table, NativeMethod? Method);
}
