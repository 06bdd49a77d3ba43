using System.CodeDom.Compiler;
using System.ComponentModel;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>
/// Says whether an endpoint is a plain gRPC method. Middleware acts by the metadata of endpoints, and anybody may
/// invent more of it. So this knows the metadata that nobody acts on, and takes all other as a reason against it.
/// </summary>
internal static class EndpointProof
{
    // Names and texts, for lists of endpoints and for links.
    private static readonly HashSet<Type> Indifferent =
    [
        typeof(NativeDispatchMetadata),
        typeof(GrpcMethodMetadata),
        typeof(BindServiceMethodAttribute),
        typeof(EndpointNameMetadata),
        typeof(EndpointNameAttribute),
        typeof(RouteNameMetadata),
        typeof(EndpointGroupNameAttribute),
        typeof(EndpointSummaryAttribute),
        typeof(EndpointDescriptionAttribute),
        typeof(TagsAttribute),
        typeof(ExcludeFromDescriptionAttribute),
        typeof(SuppressLinkGenerationMetadata),
        typeof(DescriptionAttribute),
        typeof(DisplayNameAttribute),
        typeof(EditorBrowsableAttribute),
        typeof(ObsoleteAttribute),
        typeof(GeneratedCodeAttribute),
    ];

    // What compilers put onto classes and methods, and what debuggers and analyzers read. The compiler puts some of
    // these attributes into each assembly anew, so they are known by their namespaces.
    private static readonly string?[] ForTools =
    [
        typeof(CompilerGeneratedAttribute).Namespace,
        typeof(DebuggerStepThroughAttribute).Namespace,
        typeof(ExcludeFromCodeCoverageAttribute).Namespace,
        typeof(SupportedOSPlatformAttribute).Namespace,
    ];

    /// <summary>Says why an endpoint is no plain gRPC method.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="isPipelineMicrosofts">
    /// True if all middleware is Microsoft's. Nobody then acts on metadata of other makes.
    /// </param>
    /// <returns>The reason; nothing if it is one.</returns>
    public static string? WhyNot(Endpoint endpoint, bool isPipelineMicrosofts)
    {
        if (endpoint.GetType() != typeof(RouteEndpoint)
            || endpoint.Metadata.GetOrderedMetadata<GrpcMethodMetadata>().Count != 1)
        {
            return "its endpoint is not that of one gRPC method";
        }

        // A convention or a filter may have put a delegate of its own before gRPC's.
        if (endpoint.RequestDelegate is not { HasSingleTarget: true, Target: { } handler }
            || !PipelineWalk.IsMethodOfTarget(endpoint.RequestDelegate)
            || handler.GetType().Assembly != typeof(GrpcMethodMetadata).Assembly
            || PipelineLink.IsMadeByCompiler(handler.GetType()))
        {
            return "its endpoint is not run by gRPC's own handler";
        }

        return endpoint.Metadata.FirstOrDefault(Acts) is { } other
            ? $"its endpoint has metadata that may be acted on: {other.GetType()}"
            : null;

        bool Acts(object metadata) =>
            !IsIndifferent(metadata) && !(isPipelineMicrosofts && IsOfOthersAlone(metadata.GetType()));
    }

    /// <summary>
    /// True if no code of Microsoft's can know the type: it is declared elsewhere, and so is all that it inherits and
    /// implements. Of .NET's own types only those that anything may have, and the attributes of WCF's contracts, which
    /// code-first services have.
    /// </summary>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2070", Justification = "Nobody can act on an interface that is trimmed.")]
    private static bool IsOfOthersAlone(Type type)
    {
        if (type.Namespace == "System.ServiceModel" && PipelineLink.IsOfMicrosoft(type))
        {
            return type.BaseType == typeof(Attribute) && type.GetInterfaces().Length == 0;
        }

        for (var part = type; part != typeof(object) && part != typeof(Attribute); part = part.BaseType!)
        {
            if (PipelineLink.IsOfMicrosoft(part))
            {
                return false;
            }
        }

        return !Array.Exists(
            type.GetInterfaces(), static part => !IsAnything(part) && PipelineLink.IsOfMicrosoft(part));
    }

    /// <summary>True of an interface that says nothing of what a type is for.</summary>
    private static bool IsAnything(Type type) =>
        type.Namespace == "System" && type.Assembly == typeof(object).Assembly;

    [UnconditionalSuppressMessage(
        "Trimming", "IL2075", Justification = "Nobody can act on an interface that is trimmed.")]
    private static bool IsIndifferent(object metadata)
    {
        var type = metadata.GetType();
        return Indifferent.Contains(type)
            || (metadata is IHttpMethodMetadata methods && IsOfRouting(type) && methods.HttpMethods.Contains("POST"))
            || (metadata is IRouteDiagnosticsMetadata && IsOfRouting(type))
            || (metadata is MethodInfo && type.Assembly == typeof(object).Assembly)
            || (metadata is Attribute && ForTools.Contains(type.Namespace) && type.GetInterfaces().Length == 0);
    }

    private static bool IsOfRouting(Type type) => type.Assembly == typeof(RouteEndpoint).Assembly;
}
