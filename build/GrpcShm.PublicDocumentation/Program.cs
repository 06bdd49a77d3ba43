using System.Xml.Linq;
using GrpcShm.PublicDocumentation;

// Usage: ASSEMBLY DOCUMENTATION RESULT
// The compiler documents all types, internal types too. This program keeps the members that other assemblies can use.
var names = PublicNames.Read(args[0]);
var document = XDocument.Load(args[1], LoadOptions.PreserveWhitespace);
foreach (var member in document.Descendants("member").ToList())
{
    if (!names.Contains(member.Attribute("name")!.Value) || GeneratedText.IsIn(member))
    {
        if (member.PreviousNode is XText space)
        {
            space.Remove();
        }

        member.Remove();
    }
}

Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(args[2]))!);
document.Save(args[2], SaveOptions.DisableFormatting);
