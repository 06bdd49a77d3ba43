using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// Reads members of Kestrel that this library needs and that are not public. A later version of Kestrel may not have
/// them: then each method here says that it does not know, and the server starts all the same, with HTTP/2 alone if it
/// has to. Tests of this library fail then.
/// </summary>
internal sealed class KestrelInternals
{
    /// <summary>False makes every method say that it does not know. For tests of a later version of Kestrel.</summary>
    public bool AreReadable { get; init; } = true;

    /// <summary>True if an endpoint has TLS; nothing if that cannot be known.</summary>
    public bool? HasTls(ListenOptions options)
    {
        try
        {
            return AreReadable ? IsTls(options) : null;
        }
        catch (MissingMethodException)
        {
            return null;
        }
    }

    /// <summary>The endpoints that the application listens on in code; nothing if they cannot be known.</summary>
    public List<ListenOptions>? ListenedInCode(KestrelServerOptions options)
    {
        try
        {
            return AreReadable ? CodeBackedListenOptions(options) : null;
        }
        catch (MissingMethodException)
        {
            return null;
        }
    }

    /// <summary>Lets Kestrel read its endpoints from another configuration than the one it was given.</summary>
    /// <returns>False if this is not possible.</returns>
    public bool TrySetConfiguration(KestrelConfigurationLoader loader, IConfiguration configuration)
    {
        try
        {
            if (AreReadable)
            {
                SetConfiguration(loader, configuration);
            }

            return AreReadable;
        }
        catch (MissingMethodException)
        {
            return false;
        }
    }

    /// <summary>Passes the application that Kestrel serves to an object that serves it, too.</summary>
    /// <param name="http">Kestrel's HTTP, which is the last middleware of an endpoint's connections.</param>
    /// <param name="owner">The object. It has a method <paramref name="serve"/> with one type parameter.</param>
    /// <param name="serve">
    /// The name of the method, which takes the application. If it returns another one, Kestrel serves that instead.
    /// </param>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2075", Justification = "If the field is trimmed, the application is not known.")]
    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "The type parameter has no requirements.")]
    public void ShowApplication<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)] TOwner>(
        ConnectionDelegate http, TOwner owner, string serve)
    {
        if (!AreReadable || !RuntimeFeature.IsDynamicCodeSupported || http.Target is not { } middleware)
        {
            return;
        }

        // The field is found by its type, since its name may change.
        foreach (var field in middleware.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic))
        {
            if (field.FieldType is { IsGenericType: true } type
                && type.GetGenericTypeDefinition() == typeof(IHttpApplication<>)
                && field.GetValue(middleware) is { } application)
            {
                var method = typeof(TOwner).GetMethod(serve)!.MakeGenericMethod(type.GetGenericArguments());
                if (method.Invoke(owner, [application]) is { } other)
                {
                    field.SetValue(middleware, other);
                }

                return;
            }
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_IsTls")]
    private static extern bool IsTls(ListenOptions options);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Configuration")]
    private static extern void SetConfiguration(KestrelConfigurationLoader loader, IConfiguration configuration);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_CodeBackedListenOptions")]
    private static extern List<ListenOptions> CodeBackedListenOptions(KestrelServerOptions options);
}
