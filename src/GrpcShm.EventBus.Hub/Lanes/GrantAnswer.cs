using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Lanes;

/// <summary>The answer to a request for a route.</summary>
/// <param name="Verdict">Success if the route was granted.</param>
/// <param name="MayAskAgain">True if the reason for a refusal may pass.</param>
internal readonly record struct GrantAnswer(Verdict Verdict, bool MayAskAgain = false)
{
    public static GrantAnswer Granted => default;
}
