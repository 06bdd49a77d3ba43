using System.Xml.Linq;
using GrpcShm.PublicDocumentation;

// Usage: ASSEMBLY DOCUMENTATION RESULT
// The compiler writes the documentation of all types, internal ones too. Keeps what a user of the assembly can name.
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
