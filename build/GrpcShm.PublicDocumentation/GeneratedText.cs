using System.Xml.Linq;

namespace GrpcShm.PublicDocumentation;

/// <summary>
/// The sentences that protoc and its gRPC plug-in write above members that only generated code uses. The other comments
/// of generated types come from the .proto files. They document the contract, and stay.
/// </summary>
internal static class GeneratedText
{
    private static readonly string[] Beginnings =
    [
        "Field number for the ",
        "Holder for reflection information generated from ",
        "File descriptor for ",
        "Service descriptor",
        "Register service method ",
        "Creates service definition that can be registered with a server",
    ];

    public static bool IsIn(XElement member)
    {
        var summary = member.Element("summary")?.Value.TrimStart();
        return summary is not null && Beginnings.Any(text => summary.StartsWith(text, StringComparison.Ordinal));
    }
}
