using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>What a middleware does to a gRPC call whose endpoint has no metadata for it.</summary>
/// <param name="Effect">The kind.</param>
/// <param name="Condition">The setting by which it acts, for a message; nothing if it always does.</param>
/// <param name="Below">The paths on which it acts; all of them if this is empty.</param>
internal readonly record struct MiddlewareVerdict(
    MiddlewareEffect Effect, string? Condition = null, PathString Below = default)
{
    public static MiddlewareVerdict Indifferent => new(MiddlewareEffect.Indifferent);

    public static MiddlewareVerdict Acts => new(MiddlewareEffect.Acts);

    public static MiddlewareVerdict Unknown => new(MiddlewareEffect.Unknown);

    public static MiddlewareVerdict ActsBy(string condition) => new(MiddlewareEffect.Acts, condition);

    public static MiddlewareVerdict IndifferentIf(bool isTrue, string otherwise) =>
        isTrue ? Indifferent : ActsBy(otherwise);

    /// <summary>The verdict on a middleware whose settings can change without being noticed.</summary>
    /// <param name="isTrue">True if it passes calls on as it is set up now.</param>
    /// <param name="later">What the application can change later.</param>
    /// <param name="otherwise">The setting by which it acts now.</param>
    public static MiddlewareVerdict IndifferentForNowIf(bool isTrue, string later, string otherwise) =>
        isTrue ? new(MiddlewareEffect.MayAct, later) : ActsBy(otherwise);
}
