using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>What a middleware does to a gRPC call whose endpoint has no metadata for it.</summary>
/// <param name="Effect">The kind.</param>
/// <param name="Condition">The setting by which it acts, for a message; nothing if it always does.</param>
/// <param name="Below">The paths on which it acts; all of them if this is empty.</param>
/// <param name="Holds">Says whether the verdict still holds, for a call that begins; nothing if it always does.</param>
/// <param name="Mark">The key by which it tells the endpoint, in the items of the call, that it was there.</param>
internal readonly record struct MiddlewareVerdict(
    MiddlewareEffect Effect,
    string? Condition = null,
    PathString Below = default,
    Func<bool>? Holds = null,
    string? Mark = null)
{
    public static MiddlewareVerdict Indifferent => new(MiddlewareEffect.Indifferent);

    public static MiddlewareVerdict Acts => new(MiddlewareEffect.Acts);

    public static MiddlewareVerdict Unknown => new(MiddlewareEffect.Unknown);

    public static MiddlewareVerdict ActsBy(string condition) => new(MiddlewareEffect.Acts, condition);

    public static MiddlewareVerdict IndifferentIf(bool isTrue, string otherwise) =>
        isTrue ? Indifferent : ActsBy(otherwise);

    /// <summary>The verdict on a middleware whose settings are looked at again for each call.</summary>
    /// <param name="holds">Says whether it passes calls on.</param>
    /// <param name="otherwise">The setting by which it acts.</param>
    /// <param name="mark">The mark that it leaves in the items of the call.</param>
    public static MiddlewareVerdict IndifferentWhile(Func<bool> holds, string otherwise, string? mark = null) =>
        holds() ? new(MiddlewareEffect.Indifferent, Holds: holds, Mark: mark) : ActsBy(otherwise);

    /// <summary>The verdict on a middleware whose settings can change without being noticed.</summary>
    /// <param name="isTrue">True if it passes calls on as it is set up now.</param>
    /// <param name="later">What the application can change later.</param>
    /// <param name="otherwise">The setting by which it acts now.</param>
    public static MiddlewareVerdict IndifferentForNowIf(bool isTrue, string later, string otherwise) =>
        isTrue ? new(MiddlewareEffect.MayAct, later) : ActsBy(otherwise);
}
