//! Small programs of every language: dangerous ones, and ones that do the same job safely.

use super::check_all;

#[test]
fn sql_that_is_put_together_is_found_in_every_language() {
    check_all(&[
        (
            "a.py",
            "def f(c, n):\n    c.execute(\"SELECT a FROM t WHERE n = '\" + n + \"'\")\n",
            "sql-injection",
        ),
        (
            "a.py",
            "def f(c, n):\n    q = \"DELETE FROM t\"\n    q += f\" WHERE n = {n}\"\n    c.execute(q)\n",
            "sql-injection",
        ),
        (
            "a.py",
            "def f(c, n):\n    c.execute('SELECT a FROM t WHERE n LIKE \"%{}%\"'.format(n.strip()))\n",
            "sql-injection",
        ),
        (
            "a.js",
            "function f(db, n) { return db.query(`SELECT a FROM t WHERE n = '${n}'`); }\n",
            "sql-injection",
        ),
        (
            "a.js",
            "app.get('/x', (req, res) => { db.all('SELECT a FROM t WHERE n = ' + req.query.n, done); });\n",
            "sql-injection",
        ),
        (
            "a.ts",
            "class R { find(name: string) { return this.pool.query(\"SELECT a FROM t WHERE n='\" + name + \"'\"); } }\n",
            "sql-injection",
        ),
        (
            "A.java",
            "class A { void f(Statement s, String n) throws Exception { s.executeQuery(\"SELECT a FROM t WHERE n='\" + n + \"'\"); } }\n",
            "sql-injection",
        ),
        (
            "A.java",
            "class A { void f(Statement s, String n) throws Exception { String q = String.format(\"DELETE FROM t WHERE n='%s'\", n); s.execute(q); } }\n",
            "sql-injection",
        ),
        (
            "A.java",
            "class A { void f(Statement s, String n) throws Exception { StringBuilder b = new StringBuilder(\"SELECT a FROM t WHERE n='\"); b.append(n); b.append(\"'\"); s.executeQuery(b.toString()); } }\n",
            "sql-injection",
        ),
        (
            "a.go",
            "package a\n\nfunc f(db *sql.DB, n string) {\n\tq := fmt.Sprintf(\"SELECT a FROM t WHERE n = '%s'\", n)\n\tdb.Query(q)\n}\n",
            "sql-injection",
        ),
        (
            "a.go",
            "package a\n\nfunc f(db *sql.DB, w http.ResponseWriter, r *http.Request) {\n\tdb.Exec(\"DELETE FROM t WHERE n = \" + r.FormValue(\"n\"))\n}\n",
            "sql-injection",
        ),
        ("a.rb", "def f(n)\n  User.where(\"name = '#{n}'\")\nend\n", "sql-injection"),
        (
            "a.rb",
            "def f\n  connection.execute(\"SELECT a FROM t WHERE n = '\" + params[:n] + \"'\")\nend\n",
            "sql-injection",
        ),
        (
            "a.php",
            "<?php\nfunction f($db) {\n  return $db->query(\"SELECT a FROM t WHERE n = '\" . $_GET['n'] . \"'\");\n}\n",
            "sql-injection",
        ),
        (
            "a.php",
            "<?php\n$n = $_POST['n'];\nmysqli_query($c, \"SELECT a FROM t WHERE n = '$n'\");\n",
            "sql-injection",
        ),
        (
            "a.c",
            "void f(sqlite3 *db, const char *n) { char q[256]; snprintf(q, sizeof(q), \"SELECT a FROM t WHERE n = '%s'\", n); sqlite3_exec(db, q, 0, 0, 0); }\n",
            "sql-injection",
        ),
        (
            "a.rs",
            "async fn f(p: &Pool, n: &str) { let q = format!(\"SELECT a FROM t WHERE n = '{}'\", n); sqlx::query(&q).execute(p).await; }\n",
            "sql-injection",
        ),
        (
            "a.rs",
            "async fn f(p: &Pool, n: &str) { sqlx::query(&format!(\"SELECT a FROM t WHERE n = '{n}'\")).execute(p).await; }\n",
            "sql-injection",
        ),
    ]);
}

#[test]
fn sql_with_parameters_constants_numbers_and_names_is_left_alone() {
    check_all(&[
        ("a.py", "def f(c, n):\n    c.execute('SELECT a FROM t WHERE n = %s', (n,))\n", ""),
        ("a.py", "def f(c, n):\n    c.execute('SELECT a FROM t WHERE n = %d' % n)\n", ""),
        ("a.py", "def f(c, n):\n    c.execute('SELECT a FROM t WHERE n = {}'.format(int(n)))\n", ""),
        (
            "a.py",
            "TABLE = 't'\ndef f(c, n):\n    c.execute(f'SELECT a FROM {TABLE} WHERE n = %s', [n])\n",
            "",
        ),
        ("a.py", "def f(c, table, where):\n    c.execute(f'SELECT a FROM {table} WHERE {where}')\n", ""),
        (
            "a.py",
            "def f(c, ids):\n    marks = ', '.join(['?'] * len(ids))\n    c.execute(f'SELECT a FROM t WHERE n IN ({marks})', ids)\n",
            "",
        ),
        (
            "a.py",
            "def f(c, n):\n    if n not in ('x', 'y'):\n        raise ValueError(n)\n    c.execute(f\"SELECT a FROM t WHERE n = '{n}'\")\n",
            "",
        ),
        ("a.py", "def f(n: int, c):\n    c.execute(f\"SELECT a FROM t WHERE n = {n}\")\n", ""),
        ("a.py", "def f(n):\n    log.info(\"SELECT a FROM t WHERE n = '%s'\" % n)\n", ""),
        (
            "a.py",
            "def f(c, n):\n    n = 'fixed'\n    c.execute(\"SELECT a FROM t WHERE n = '%s'\" % n)\n",
            "",
        ),
        ("a.js", "async function f(n) { return sql`SELECT a FROM t WHERE n = ${n}`; }\n", ""),
        ("a.js", "function f(db, n) { return db.query('SELECT a FROM t WHERE n = ?', [n]); }\n", ""),
        (
            "a.js",
            "function f(db, rows) { const v = rows.map((_, i) => `($${i + 1})`).join(', '); return db.query(`INSERT INTO t VALUES ${v}`, rows); }\n",
            "",
        ),
        (
            "A.java",
            "class A { void f(Connection c, String n) throws Exception { c.prepareStatement(\"SELECT a FROM t WHERE n = ?\"); } }\n",
            "",
        ),
        (
            "A.java",
            "class A { void f(Statement s, long n) throws Exception { s.executeQuery(\"SELECT a FROM t WHERE n = \" + n); } }\n",
            "",
        ),
        (
            "a.go",
            "package a\n\nfunc f(db *sql.DB, n int64) {\n\tdb.Query(fmt.Sprintf(\"SELECT a FROM t WHERE n = %d\", n))\n}\n",
            "",
        ),
        ("a.rb", "def f(n)\n  User.where(name: n).where('a = ?', n)\nend\n", ""),
        (
            "a.php",
            "<?php\nfunction f($db, $n) { $n = mysqli_real_escape_string($db, $n); return mysqli_query($db, \"SELECT a FROM t WHERE n = '$n'\"); }\n",
            "",
        ),
        (
            "a.php",
            "<?php\nfunction f($db) { $n = (int) $_GET['n']; return $db->query(\"SELECT a FROM t WHERE n = $n\"); }\n",
            "",
        ),
        (
            "a.rs",
            "async fn f(p: &Pool, n: &str) { sqlx::query(\"SELECT a FROM t WHERE n = $1\").bind(n).execute(p).await; }\n",
            "",
        ),
    ]);
}

#[test]
fn command_lines_for_a_shell_are_found_in_every_language() {
    check_all(&[
        ("a.py", "import os\ndef f(n):\n    os.system('ping -c1 ' + n)\n", "command-injection"),
        (
            "a.py",
            "from subprocess import run as go\ndef f(n):\n    go(f'tar xf {n}', shell=True)\n",
            "command-injection",
        ),
        (
            "a.py",
            "import subprocess\ndef f(n):\n    subprocess.Popen(['bash', '-c', 'ls ' + n])\n",
            "command-injection",
        ),
        ("a.py", "def f(client, n):\n    client.exec_command('cat %s' % n)\n", "command-injection"),
        (
            "a.js",
            "const { exec } = require('child_process');\nfunction f(n) { exec('git log ' + n); }\n",
            "command-injection",
        ),
        (
            "a.ts",
            "import { execSync } from 'child_process';\nexport function f(n: string) { return execSync(`git show ${n}`); }\n",
            "command-injection",
        ),
        (
            "a.ts",
            "import * as cp from 'node:child_process';\nexport function f(n: string) { cp.spawn('ls', ['-l', n], { shell: true }); }\n",
            "command-injection",
        ),
        (
            "A.java",
            "class A { void f(String n) throws Exception { Runtime.getRuntime().exec(new String[] {\"sh\", \"-c\", \"ls \" + n}); } }\n",
            "command-injection",
        ),
        (
            "A.java",
            "class A { void f(String n) throws Exception { new ProcessBuilder(\"bash\", \"-c\", \"ls \" + n).start(); } }\n",
            "",
        ),
        (
            "a.go",
            "package a\n\nfunc f(n string) {\n\texec.Command(\"sh\", \"-c\", \"ls \"+n).Run()\n}\n",
            "command-injection",
        ),
        ("a.rb", "def f(n)\n  `convert #{n} out.png`\nend\n", "command-injection"),
        ("a.rb", "def f(n)\n  system(\"convert #{n} out.png\")\nend\n", "command-injection"),
        (
            "a.php",
            "<?php\nfunction f() { return shell_exec('ping ' . $_GET['host']); }\n",
            "command-injection",
        ),
        (
            "a.c",
            "void f(const char *n) { char c[99]; snprintf(c, sizeof(c), \"rm %s\", n); system(c); }\n",
            "command-injection",
        ),
        (
            "a.rs",
            "fn f(n: &str) { Command::new(\"sh\").arg(\"-c\").arg(format!(\"ls {n}\")).spawn(); }\n",
            "command-injection",
        ),
    ]);
}

#[test]
fn commands_without_a_shell_or_with_quoted_values_are_left_alone() {
    check_all(&[
        ("a.py", "import subprocess\ndef f(n):\n    subprocess.run(['tar', 'xf', n])\n", ""),
        ("a.py", "import os, shlex\ndef f(n):\n    os.system('tar xf ' + shlex.quote(n))\n", ""),
        ("a.py", "import os\ndef f():\n    os.system('clear')\n", ""),
        ("a.py", "import subprocess\ndef f(command):\n    subprocess.run(command, shell=True)\n", ""),
        (
            "a.js",
            "const { execFile } = require('child_process');\nfunction f(n) { execFile('git', ['log', n]); }\n",
            "",
        ),
        ("a.js", "function f(s) { return /x/.exec('a ' + s); }\n", ""),
        ("a.go", "package a\n\nfunc f(n string) {\n\texec.Command(\"ls\", n).Run()\n}\n", ""),
        ("a.rb", "def f(n)\n  system('convert', n, 'out.png')\nend\n", ""),
        ("a.php", "<?php\nfunction f($n) { return shell_exec('ping ' . escapeshellarg($n)); }\n", ""),
        ("a.rs", "fn f(n: &str) { Command::new(\"ls\").arg(n).spawn(); }\n", ""),
    ]);
}

#[test]
fn code_templates_and_data_that_run_are_found() {
    check_all(&[
        ("a.py", "def f(request):\n    return eval(request.GET['e'])\n", "code-injection"),
        ("a.js", "function f(body) { return new Function('x', body); }\n", "code-injection"),
        ("a.rb", "def f\n  eval(params[:code])\nend\n", "code-injection"),
        ("a.php", "<?php\neval($_POST['code']);\n", "code-injection"),
        ("a.py", "import ast\ndef f(request):\n    return ast.literal_eval(request.GET['e'])\n", ""),
        ("a.py", "def f():\n    return eval('1 + 1')\n", ""),
        (
            "a.py",
            "from jinja2 import Template\nfrom flask import request\ndef f():\n    return Template('Hi ' + request.args['n']).render()\n",
            "template-injection",
        ),
        (
            "a.py",
            "import pickle\nfrom flask import request\ndef f():\n    return pickle.loads(request.data)\n",
            "unsafe-deserialization",
        ),
        (
            "a.py",
            "import pickle\ndef f(path):\n    with open(path, 'rb') as file:\n        return pickle.load(file)\n",
            "",
        ),
        ("a.py", "import yaml\ndef f(text):\n    return yaml.load(text)\n", "unsafe-deserialization"),
        ("a.py", "import yaml\ndef f(text):\n    return yaml.load(text, Loader=yaml.SafeLoader)\n", ""),
        ("a.rb", "def f\n  Marshal.load(Base64.decode64(cookies[:state]))\nend\n", "unsafe-deserialization"),
        ("a.php", "<?php\n$x = unserialize($_COOKIE['x']);\n", "unsafe-deserialization"),
        ("a.php", "<?php\n$x = unserialize($_COOKIE['x'], ['allowed_classes' => false]);\n", ""),
        (
            "A.java",
            "class A { Object f(InputStream in) throws Exception { ObjectInputStream s = new ObjectInputStream(in); return s.readObject(); } }\n",
            "unsafe-deserialization",
        ),
    ]);
}

#[test]
fn files_pages_and_addresses_that_a_request_names_are_found() {
    check_all(&[
        (
            "a.py",
            "from flask import request, send_file\ndef f():\n    return send_file('/data/' + request.args['n'])\n",
            "path-traversal",
        ),
        (
            "a.py",
            "@app.route('/f/<name>')\ndef f(name):\n    return open('/data/' + name).read()\n",
            "path-traversal",
        ),
        (
            "a.js",
            "app.get('/f', (req, res) => { res.sendFile(path.join(root, req.params.n)); });\n",
            "path-traversal",
        ),
        (
            "a.js",
            "app.get('/f', (req, res) => { res.sendFile(path.join(root, path.basename(req.params.n))); });\n",
            "",
        ),
        (
            "a.go",
            "package a\n\nfunc f(w http.ResponseWriter, r *http.Request) {\n\tos.ReadFile(filepath.Join(root, r.URL.Query().Get(\"n\")))\n}\n",
            "path-traversal",
        ),
        (
            "a.go",
            "package a\n\nfunc f(c echo.Context) {\n\tk := c.Param(\"k\")\n\tif _, ok := kinds[k]; !ok {\n\t\treturn\n\t}\n\tos.ReadFile(filepath.Join(root, k))\n}\n",
            "",
        ),
        ("a.rb", "def f\n  send_file(Rails.root.join('x').to_s + params[:n])\nend\n", "path-traversal"),
        ("a.php", "<?php\ninclude('pages/' . $_GET['p'] . '.php');\n", "path-traversal"),
        (
            "A.java",
            "class A { void f(HttpServletRequest q) throws Exception { new FileInputStream(\"/d/\" + q.getParameter(\"n\")); } }\n",
            "path-traversal",
        ),
        (
            "A.java",
            "class A { void f(@RequestParam String n) throws Exception { Files.readAllBytes(Paths.get(\"/d/\" + n)); } }\n",
            "path-traversal",
        ),
        (
            "a.rs",
            "async fn f(Path(n): Path<String>) -> String { std::fs::read_to_string(format!(\"/d/{n}\")).unwrap() }\n",
            "path-traversal",
        ),
        ("a.py", "def f(path):\n    return open(path).read()\n", ""),
        ("a.js", "el.innerHTML = '<b>' + location.hash + '</b>';\n", "cross-site-scripting"),
        ("a.js", "function f(el, n) { el.innerHTML = `<b>${n}</b>`; }\n", "cross-site-scripting"),
        ("a.js", "function f(el, n) { el.innerHTML = `<b>${DOMPurify.sanitize(n)}</b>`; }\n", ""),
        ("a.js", "function f(el, n) { el.innerHTML = '<b>ok</b>'; el.textContent = n; }\n", ""),
        (
            "a.tsx",
            "const A = ({ html }: P) => <div dangerouslySetInnerHTML={{ __html: '<b>' + html + '</b>' }} />;\n",
            "cross-site-scripting",
        ),
        (
            "a.js",
            "app.get('/x', (req, res) => { res.send('<h1>' + req.query.n + '</h1>'); });\n",
            "cross-site-scripting",
        ),
        ("a.php", "<?php\necho '<h1>' . $_GET['n'] . '</h1>';\n", "cross-site-scripting"),
        ("a.php", "<?php\necho '<h1>' . htmlspecialchars($_GET['n']) . '</h1>';\n", ""),
        ("a.php", "<p><?= $_GET['n'] ?></p>\n", "cross-site-scripting"),
        (
            "A.java",
            "class A { void f(HttpServletRequest q, HttpServletResponse p) throws Exception { p.getWriter().println(\"<b>\" + q.getParameter(\"n\")); } }\n",
            "cross-site-scripting",
        ),
        (
            "a.go",
            "package a\n\nfunc f(w http.ResponseWriter, r *http.Request) {\n\tfmt.Fprintf(w, \"<b>%s</b>\", r.FormValue(\"n\"))\n}\n",
            "cross-site-scripting",
        ),
        (
            "a.py",
            "from django.utils.safestring import mark_safe\ndef f(n):\n    return mark_safe('<b>%s</b>' % n)\n",
            "cross-site-scripting",
        ),
        (
            "a.py",
            "from django.utils.html import format_html\ndef f(request, n):\n    return format_html('<b>{}</b>', n)\n",
            "",
        ),
        (
            "a.py",
            "import requests\nfrom flask import request\ndef f():\n    return requests.get(request.args['url']).text\n",
            "server-side-request",
        ),
        (
            "a.py",
            "import requests\nfrom flask import request\ndef f():\n    return requests.get(f'https://api.example.org/{request.args[\"n\"]}').text\n",
            "",
        ),
        (
            "a.py",
            "import requests\nfrom flask import request\ndef f():\n    return requests.post(URL, json=request.json)\n",
            "",
        ),
        ("a.js", "app.get('/x', (req, res) => { res.redirect(req.query.next); });\n", "open-redirect"),
        ("a.js", "app.get('/x', (req, res) => { res.redirect('/users/' + req.params.id); });\n", ""),
        (
            "a.go",
            "package a\n\nfunc f(w http.ResponseWriter, r *http.Request) {\n\thttp.Redirect(w, r, r.FormValue(\"next\"), 302)\n}\n",
            "open-redirect",
        ),
        (
            "a.php",
            "<?php\nfunction f($base) { $u = $_GET['u']; if (!str_starts_with($u, $base)) { return; } return redirect($u); }\n",
            "",
        ),
    ]);
}

#[test]
fn weak_cryptography_is_found_where_security_rests_on_it() {
    check_all(&[
        (
            "a.py",
            "import hashlib\ndef password_hash(p):\n    return hashlib.md5(p).hexdigest()\n",
            "weak-hash",
        ),
        ("a.py", "import hashlib\ndef etag(body):\n    return hashlib.md5(body).hexdigest()\n", ""),
        (
            "a.py",
            "import hashlib\ndef password_id(p):\n    return hashlib.md5(p, usedforsecurity=False).hexdigest()\n",
            "",
        ),
        (
            "a.js",
            "const sign = (b, secret) => crypto.createHash('sha1').update(b + secret).digest('hex');\n",
            "",
        ),
        (
            "a.js",
            "function sign_cookie(b) { return crypto.createHash('sha1').update(b).digest('hex'); }\n",
            "weak-hash",
        ),
        (
            "a.go",
            "package a\n\nfunc passwordDigest(p string) [16]byte {\n\treturn md5.Sum([]byte(p))\n}\n",
            "weak-hash",
        ),
        (
            "a.py",
            "from Crypto.Cipher import AES\ndef f(key):\n    return AES.new(key, AES.MODE_ECB)\n",
            "weak-cipher",
        ),
        ("a.js", "const c = crypto.createCipheriv('des-ede3-cbc', key, iv);\n", "weak-cipher"),
        ("a.js", "const c = crypto.createCipheriv('aes-256-gcm', key, iv);\n", ""),
        ("a.go", "package a\n\nfunc f(k []byte) {\n\tdes.NewCipher(k)\n}\n", "weak-cipher"),
        ("a.php", "<?php\n$x = openssl_encrypt($d, 'aes-128-ecb', $k);\n", "weak-cipher"),
        (
            "a.py",
            "import random\ndef f():\n    reset_token = ''.join(random.choice(ABC) for _ in range(20))\n",
            "weak-random",
        ),
        ("a.py", "import secrets\ndef f():\n    reset_token = secrets.token_hex(20)\n", ""),
        ("a.js", "const shade = Math.random();\n", ""),
        ("a.php", "<?php\n$password = md5(uniqid());\n", "weak-hash weak-random"),
        (
            "a.py",
            "from Crypto.Cipher import AES\nc = AES.new(b'0123456789abcdef', AES.MODE_GCM)\n",
            "hard-coded-key",
        ),
        ("a.js", "const t = jwt.sign(claims, 'not so secret');\n", "hard-coded-key"),
        ("a.js", "const t = jwt.sign(claims, process.env.JWT_SECRET);\n", ""),
    ]);
}

#[test]
fn connections_that_trust_everybody_are_found() {
    check_all(&[
        ("a.py", "import requests\nrequests.post(url, data, verify=False)\n", "tls-verification-disabled"),
        (
            "a.py",
            "import ssl\nc = ssl.create_default_context()\nc.check_hostname = False\n",
            "tls-verification-disabled",
        ),
        ("a.py", "import jwt\njwt.decode(token, verify=False)\n", ""),
        ("a.js", "const a = new https.Agent({ rejectUnauthorized: false });\n", "tls-verification-disabled"),
        ("a.js", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';\n", "tls-verification-disabled"),
        ("a.js", "const a = new https.Agent({ rejectUnauthorized: strict });\n", ""),
        ("a.go", "package a\n\nvar c = &tls.Config{InsecureSkipVerify: true}\n", "tls-verification-disabled"),
        ("a.go", "package a\n\nvar c = &tls.Config{InsecureSkipVerify: insecure}\n", ""),
        ("a.rb", "http.verify_mode = OpenSSL::SSL::VERIFY_NONE\n", "tls-verification-disabled"),
        ("a.php", "<?php\ncurl_setopt($c, CURLOPT_SSL_VERIFYPEER, false);\n", "tls-verification-disabled"),
        (
            "a.c",
            "void f(CURL *c) { curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L); }\n",
            "tls-verification-disabled",
        ),
        (
            "a.rs",
            "fn f() { Client::builder().danger_accept_invalid_certs(true).build(); }\n",
            "tls-verification-disabled",
        ),
        (
            "A.java",
            "class A { void f(HttpsURLConnection c) { c.setHostnameVerifier((host, session) -> true); } }\n",
            "tls-verification-disabled",
        ),
    ]);
}

#[test]
fn memory_of_c_is_looked_after() {
    check_all(&[
        ("a.c", "void f(const char *n) { char b[8]; strcpy(b, n); }\n", "unbounded-copy"),
        ("a.c", "void f(void) { char b[8]; gets(b); }\n", "unbounded-copy"),
        ("a.c", "void f(const char *n) { char b[8]; sprintf(b, \"<%s>\", n); }\n", "unbounded-copy"),
        ("a.c", "void f(int n) { char b[16]; sprintf(b, \"<%d>\", n); }\n", ""),
        (
            "a.c",
            "void f(const char *n) { char b[8]; if (strlen(n) >= sizeof(b)) return; strcpy(b, n); }\n",
            "",
        ),
        ("a.c", "void f(void) { char b[8]; strcpy(b, \"abc\"); }\n", ""),
        ("a.c", "void f(char *to, const char *n) { strcpy(to, n); }\n", ""),
        ("a.c", "void f(const char *m) { printf(m); }\n", "format-string"),
        ("a.c", "void f(const char *m) { printf(\"%s\\n\", m); }\n", ""),
        ("a.c", "void *f(unsigned w, unsigned h) { return malloc(w * h); }\n", "size-overflow"),
        ("a.c", "void *f(unsigned n) { return malloc(n * sizeof(int)); }\n", ""),
    ]);
}
