using System.Reflection;
using System.Text.RegularExpressions;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Tests.Memory;

/// <summary>The rules that keep a wake-up from being dropped.</summary>
public sealed class WakeTests
{
    private const BindingFlags All =
        BindingFlags.Public
        | BindingFlags.NonPublic
        | BindingFlags.Instance
        | BindingFlags.Static
        | BindingFlags.DeclaredOnly;

    /// <summary>The analyzer has to be told of each method by name.</summary>
    [Fact]
    public void Methods_ThatGiveAWake_AreAllNamedForTheAnalyzer()
    {
        var given = typeof(Wake).Assembly.GetTypes()
            .SelectMany(static type => type.GetMethods(All))
            .Where(static method => method.ReturnType == typeof(Wake) && !method.IsPrivate)
            .Select(static method => $"M:{method.DeclaringType!.FullName}.{method.Name}")
            .Order(StringComparer.Ordinal)
            .ToList();

        Assert.NotEmpty(given);
        Assert.Equal(given, Named().Order(StringComparer.Ordinal));
    }

    /// <summary>
    /// A class that used a ring itself could publish or give space back, and forget the doorbell and the counters.
    /// </summary>
    [Fact]
    public void Rings_AreUsedByTheEndsOfAConnectionAlone()
    {
        var users = typeof(Wake).Assembly.GetTypes()
            .Where(static type => type.Namespace != typeof(Wake).Namespace)
            .Where(static type => type.GetFields(All).Any(static field =>
                field.FieldType == typeof(RingProducer)
                || field.FieldType == typeof(ClaimingProducer)
                || field.FieldType == typeof(RingConsumer)))
            .Select(static type => type.Name)
            .Order(StringComparer.Ordinal);

        Assert.Equal(["ByteSendingEnd", "FrameSendingEnd", "ReceivingEnd"], users);
    }

    private static IEnumerable<string> Named()
    {
        var settings = File.ReadAllText(Path.Join(SourceTree.Root, ".editorconfig"));
        var list = Regex.Match(settings, @"CA1806\.additional_use_results_methods = (\S+)").Groups[1].Value;
        return list.Split('|').Select(static name => name.Split('(')[0]);
    }
}
